from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise

import pytest
from django.utils import timezone

from tests.statistics.sent import happen, make_sent, moment
from wagtail_email_insights.statistics.curves import curve_for, span_of, spelled
from wagtail_email_insights.tracking.models import Scope

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 3, 27, 21, 40, tzinfo=UTC)


def after(**length: float) -> datetime:
    return BEGAN + timedelta(**length)


def test_the_first_two_days_are_drawn_by_the_hour_without_gaps():
    mailing = make_sent(started_at=BEGAN)
    happen(mailing, "open", -1, at=after(minutes=5))
    happen(mailing, "click", -1, at=after(hours=3))
    curve = curve_for([mailing])
    assert curve.unit == "hour"
    assert [point.start.hour for point in curve.points] == [21, 22, 23, 0]
    assert [(point.opens, point.clicks) for point in curve.points] == [
        (1, 0),
        (0, 0),
        (0, 0),
        (0, 1),
    ]
    assert [(point.opened, point.clicked) for point in curve.points] == [
        (1, 0),
        (0, 0),
        (0, 0),
        (0, 1),
    ]


def test_it_begins_when_the_mailing_does_even_if_nobody_was_there():
    mailing = make_sent(started_at=BEGAN)
    happen(mailing, "open", -1, at=after(hours=5))
    assert curve_for([mailing]).points[0].start == BEGAN.replace(minute=0)


def test_what_takes_longer_is_drawn_by_the_day():
    mailing = make_sent(started_at=BEGAN)
    happen(mailing, "open", -1, at=after(minutes=5))
    happen(mailing, "open", -1, at=after(days=3))
    curve = curve_for([mailing])
    assert curve.unit == "day"
    assert [(point.start.day, point.opens, point.opened) for point in curve.points] == [
        (27, 1, 1),
        (28, 0, 0),
        (29, 0, 0),
        (30, 1, 0),
    ]


def test_asked_for_hours_it_ends_after_the_first_48():
    mailing = make_sent(started_at=BEGAN)
    happen(mailing, "open", -1, at=after(minutes=5))
    happen(mailing, "open", -2, at=after(days=30))
    curve = curve_for([mailing], unit="hour")
    assert (curve.unit, len(curve.points)) == ("hour", 48)
    assert sum(point.opens for point in curve.points) == 1


def test_days_are_those_of_the_readers_of_the_screen():
    mailing = make_sent(started_at=BEGAN)
    happen(mailing, "click", -1, at=moment("2026-03-27 23:30"))
    with timezone.override("Asia/Tokyo"):
        [day] = curve_for([mailing], unit="day").points
        assert (day.start.day, day.start.hour, day.clicks) == (28, 0, 1)


def test_a_day_of_23_hours_is_one_day():
    mailing = make_sent(started_at=BEGAN)
    for hours in range(24 * 5):
        happen(mailing, "click", -1, at=after(hours=hours))
    with timezone.override("Europe/Lisbon"):
        points = curve_for([mailing], unit="day").points
    assert {point.start.hour for point in points} == {0}
    by_day = {point.start.day: point.clicks for point in points}
    assert (by_day[28], by_day[29], by_day[30]) == (24, 23, 24)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Lisbon", "Asia/Kolkata", "Pacific/Chatham"])
@pytest.mark.parametrize("unit", ["hour", "day"])
def test_the_span_of_a_point_holds_what_the_point_counts(unit, zone):
    mailing = make_sent(started_at=BEGAN)
    moments = [after(minutes=20 * number) for number in range(3 * 24 * 5)]
    for at in moments:
        happen(mailing, "click", -1, at=at)
    with timezone.override(zone):
        points = curve_for([mailing], unit=unit).points
        spans = [span_of(unit, spelled(unit, point.start)) for point in points]
    for point, span in zip(points, spans, strict=True):
        assert point.clicks == sum(span.begin <= at < span.end for at in moments)
    assert all(here.end == following.begin for here, following in pairwise(spans))
    assert len(set(chain(*(span.keys for span in spans)))) == sum(len(span.keys) for span in spans)


@pytest.mark.parametrize(
    "text", ["", "x", "2026-02-30", "2026-13-01T00", "9999-12-31", "0001-01-01"]
)
@pytest.mark.parametrize("unit", ["hour", "day"])
def test_what_is_no_point_of_a_curve_is_refused(unit, text):
    with timezone.override("Pacific/Auckland"), pytest.raises(ValueError, match="of a curve"):
        span_of(unit, text)


def test_nothing_yet_is_an_empty_curve():
    assert curve_for([make_sent()]).is_empty
    assert curve_for([]).is_empty


def test_unsubscribing_and_machines_draw_nothing():
    mailing = make_sent(started_at=BEGAN)
    happen(mailing, "unsubscribe", -1, at=after(hours=1))
    happen(mailing, "click", -1, at=after(hours=1), verdict="machine")
    assert curve_for([mailing]).is_empty
    assert not curve_for([mailing], Scope.EVERYTHING).is_empty


def test_a_curve_is_one_query(django_assert_num_queries):
    mailings = [make_sent(started_at=BEGAN) for _ in range(3)]
    for mailing in mailings:
        happen(mailing, "click", -1, at=after(hours=1))
    with django_assert_num_queries(1):
        [_, point] = curve_for(mailings).points
    assert point.clicks == 3
