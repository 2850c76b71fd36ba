from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import make_contact
from wagtail_email_insights.activities.feed import Cursor, page
from wagtail_email_insights.tracking.models import Event, EventKind

GOOD = "2024-05-01T12:00:00+02:00~5"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_cursor_is_read_as_it_was_written():
    assert Cursor.parse(str(Cursor.parse(GOOD))) == Cursor.parse(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "2024-05-01T12:00:00~5",
        "0001-01-01T00:00:00+14:00~5",
        "9999-12-31T23:59:00-14:00~5",
        "2024-05-01T12:00:00+00:00~",
        "2024-05-01T12:00:00+00:00~-1",
        "2024-05-01T12:00:00+00:00~" + "9" * 30,
        "2024-05-01T12:00:00+00:00~" + "9" * 5000,
    ],
)
def test_anything_else_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 - which one is Python's own business
        Cursor.parse(text)


@pytest.fixture
def seven(db):
    """Seven events, some of them at the same moment; returned the oldest first."""
    contact = make_contact()
    seconds = [0, 1, 1, 1, 2, 3, 3]
    Event.objects.bulk_create(
        Event(kind=EventKind.OPEN, contact=contact, at=NOON + timedelta(seconds=second))
        for second in seconds
    )
    return list(Event.objects.order_by("at", "pk").values_list("pk", flat=True))


def walk(*, oldest_first: bool) -> list:
    """Every page from the first to the last."""
    pages = [page(Event.objects.all(), size=3, oldest_first=oldest_first)]
    while pages[-1].following:
        after = pages[-1].following
        pages.append(page(Event.objects.all(), size=3, after=after, oldest_first=oldest_first))
    return pages


def keys(pages) -> list[list[int]]:
    return [[event.pk for event in one.events] for one in pages]


@pytest.mark.parametrize("oldest_first", [True, False])
def test_every_event_stands_on_one_page_in_order(seven, oldest_first):
    in_order = seven if oldest_first else seven[::-1]
    assert keys(walk(oldest_first=oldest_first)) == [in_order[:3], in_order[3:6], in_order[6:]]


@pytest.mark.parametrize("oldest_first", [True, False])
def test_the_way_back_shows_the_same_pages(seven, oldest_first):
    first, second, third = walk(oldest_first=oldest_first)
    back = page(Event.objects.all(), size=3, before=third.previous, oldest_first=oldest_first)
    assert back == second
    start = page(Event.objects.all(), size=3, before=back.previous, oldest_first=oldest_first)
    assert start == first
    assert start.previous is None


def test_back_at_the_beginning_new_events_fill_the_page(seven):
    _first, second, _third = walk(oldest_first=False)
    new = Event.objects.create(kind=EventKind.OPEN, at=NOON + timedelta(hours=1))
    before = page(Event.objects.all(), size=3, before=second.previous)
    # The new one does not fit before what was shown: it has a page of its own further back.
    assert [event.pk for event in before.events] == seven[:3:-1]
    start = page(Event.objects.all(), size=3, before=before.previous)
    assert [event.pk for event in start.events] == [new.pk, *seven[:4:-1]]
    assert start.previous is None


def test_new_events_shift_nothing(seven):
    first = page(Event.objects.all(), size=3)
    Event.objects.create(kind=EventKind.OPEN, at=NOON + timedelta(hours=1))
    second = page(Event.objects.all(), size=3, after=first.following)
    assert keys([first, second]) == [seven[:3:-1], seven[3:0:-1]]


def test_beyond_the_end_there_is_nothing(seven):
    after = Cursor(NOON - timedelta(days=1), 1)
    assert page(Event.objects.all(), size=3, after=after).events == []
