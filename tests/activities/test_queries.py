from __future__ import annotations

import pytest

from tests.factories import make_contact, make_email, make_mailing
from wagtail_email_insights.activities.queries import Cursor, coverage_of
from wagtail_email_insights.mailings.models import Delivery, DeliveryState
from wagtail_email_insights.statistics.figures import figures_for_email
from wagtail_email_insights.tracking.models import Event, EventKind, Verdict

GOOD = "2024-05-01T12:00:00+02:00~5"


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


@pytest.mark.django_db
def test_coverage_agrees_with_the_statistics(django_assert_num_queries):
    mailing = make_mailing(make_email(), state="sent")
    for identified, state in [(True, "sent"), (False, "sent"), (True, "failed")]:
        Delivery.objects.create(
            mailing=mailing,
            contact=make_contact(),
            identified=identified,
            state=DeliveryState(state),
        )
    for contact, verdict in [(make_contact(), "human"), (None, "human"), (None, "machine")]:
        Event.objects.create(
            mailing=mailing, kind=EventKind.CLICK, contact=contact, verdict=Verdict(verdict)
        )
    with django_assert_num_queries(3):
        coverage = coverage_of(mailing.email)
    counts = figures_for_email(mailing.email).counts
    assert coverage == (2, 1, 2, 1)
    assert coverage == (
        counts.sent,
        counts.identified,
        counts.clicks_total,
        counts.clicks_identified,
    )
