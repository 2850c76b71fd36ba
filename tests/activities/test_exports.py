from __future__ import annotations

import tracemalloc
from collections import deque

import pytest
from django.db.models import JSONField, Value

from tests.factories import make_contact, make_email, make_mailing
from wagtail_email_insights.activities import exports
from wagtail_email_insights.activities.filters import ActivityFilter
from wagtail_email_insights.activities.queries import everything
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.segments.queries import UnknownCondition
from wagtail_email_insights.tracking.models import Event, EventKind

pytestmark = pytest.mark.django_db


def make_events(number: int) -> None:
    contact, mailing = make_contact("ann@example.org"), make_mailing(make_email("June news"))
    Event.objects.bulk_create(
        Event(kind=EventKind.OPEN, contact=contact, mailing=mailing) for _ in range(number)
    )


def test_a_row_has_a_cell_per_heading():
    make_events(1)
    [row] = exports.rows(everything(), ActivityFilter())
    assert len(row) == len(exports.header())
    cells = dict(zip(exports.header(), row, strict=True))
    assert cells["E-mail address"] == "ann@example.org"
    assert cells["Activity"] == "Opened"
    assert cells["E-mail"] == "June news"


def test_rows_come_in_the_order_and_choice_of_the_screen(monkeypatch):
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    make_events(5)
    Event.objects.create(kind=EventKind.CONFIRM, contact=make_contact())
    newest = [row[0] for row in exports.rows(everything(), ActivityFilter(kinds=("open",)))]
    oldest = exports.rows(everything(), ActivityFilter(kinds=("open",), oldest_first=True))
    assert len(newest) == 5
    assert newest == [row[0] for row in oldest][::-1]


def test_memory_does_not_grow_with_the_table(monkeypatch):
    monkeypatch.setattr(exports, "AT_ONCE", 50)

    def peak() -> int:
        tracemalloc.start()
        deque(exports.rows(everything(), ActivityFilter()), maxlen=0)
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    make_events(200)
    peak()
    few = peak()
    Event.objects.bulk_create(
        Event(kind=EventKind.OPEN, contact_id=contact, mailing_id=mailing)
        for contact, mailing in list(Event.objects.values_list("contact", "mailing")) * 19
    )
    assert Event.objects.count() == 4000
    assert peak() < few * 2


def test_an_unknown_condition_is_told_before_the_first_row():
    segment = Segment.objects.create(name="Old")
    # Past the field, which would drop a condition that is not registered.
    stored = Value([{"type": "gone", "value": {}}], JSONField())
    Segment.objects.filter(pk=segment.pk).update(conditions=stored)
    with pytest.raises(UnknownCondition):
        exports.rows(everything(), ActivityFilter(segment=segment.pk))
