from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from wagtail_email_insights.digests.rhythm import catch_up, following

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _berlin(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    timezone.get_default_timezone.cache_clear()
    yield
    timezone.get_default_timezone.cache_clear()


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)


def run_of(rhythm: str, first: datetime, number: int) -> list[tuple[int, ...]]:
    """The first so many times of a digest, on the clock on the wall."""
    times, previous, current = [], None, first.astimezone(UTC)
    for _ in range(number):
        local = current.astimezone(BERLIN)
        times.append((local.month, local.day, local.hour, local.minute))
        previous, current = current, following(rhythm, current, previous)
    return times


@pytest.mark.parametrize(
    ("rhythm", "after"),
    [("daily", (6, 2, 8, 0)), ("weekly", (6, 8, 8, 0)), ("monthly", (7, 1, 8, 0))],
)
def test_each_rhythm(rhythm, after):
    assert run_of(rhythm, at(2026, 6, 1, 8), 2)[1] == after


def test_the_hour_stays_when_the_clocks_change():
    """They go forward on 29 March 2026 and back on 25 October."""
    assert run_of("daily", at(2026, 3, 28, 8), 3) == [(3, 28, 8, 0), (3, 29, 8, 0), (3, 30, 8, 0)]
    assert run_of("weekly", at(2026, 10, 19, 8), 2) == [(10, 19, 8, 0), (10, 26, 8, 0)]


def test_an_hour_that_does_not_exist_comes_later_that_day_only():
    assert run_of("daily", at(2026, 3, 28, 2, 30), 3) == [
        (3, 28, 2, 30),
        (3, 29, 3, 30),
        (3, 30, 2, 30),
    ]


def test_an_hour_that_exists_twice_comes_once():
    assert run_of("daily", at(2026, 10, 24, 2, 30), 3) == [
        (10, 24, 2, 30),
        (10, 25, 2, 30),
        (10, 26, 2, 30),
    ]


@pytest.mark.parametrize(
    ("day", "days"),
    [
        (31, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31]),
        (30, [30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30]),
        (29, [29, 28, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29, 29]),
        (28, [28] * 13),
    ],
)
def test_month_ends(day, days):
    assert [time[1] for time in run_of("monthly", at(2026, 1, day, 8), 13)] == days


def test_december_is_followed_by_january():
    assert following("monthly", at(2026, 12, 15, 8)) == at(2027, 1, 15, 8)


def test_what_was_missed_is_not_made_up_for():
    previous, current = catch_up("daily", at(2026, 6, 1, 8), previous=None, now=at(2026, 6, 4, 9))
    assert (previous, current) == (at(2026, 6, 4, 8), at(2026, 6, 5, 8))


def test_before_its_time_nothing_moves():
    now, planned = at(2026, 6, 1, 7), at(2026, 6, 1, 8)
    assert catch_up("daily", planned, previous=None, now=now) == (None, planned)
