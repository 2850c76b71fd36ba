"""When a digest comes next, by the clock on the wall of the site's own time zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, time, timedelta

from django.utils import timezone

from .models import Rhythm

_DAYS = {Rhythm.DAILY: 1, Rhythm.WEEKLY: 7}


def following(rhythm: str, current: datetime, previous: datetime | None = None) -> datetime:
    """Return the time after *current*, at the same hour of the day all through the year.

    With the *previous* time a digest of the 31st comes back to it after a shorter month, and one
    of half past two after the night in which the clock leaps over that.
    """
    anchor = _local(current)
    if previous and _step(rhythm, _local(previous), _local(previous)) == current:
        anchor = _local(previous)
    return _step(rhythm, _local(current), anchor)


def catch_up(
    rhythm: str, current: datetime, *, previous: datetime | None, now: datetime
) -> tuple[datetime | None, datetime]:
    """Return the last time that has come and the next one; what was missed is not made up for."""
    while current <= now:
        previous, current = current, following(rhythm, current, previous)
    return previous, current


def _local(at: datetime) -> datetime:
    return at.astimezone(timezone.get_default_timezone())


def _step(rhythm: str, current: datetime, anchor: datetime) -> datetime:
    """Return one step after the day of *current*, on the day and at the hour of *anchor*."""
    if rhythm == Rhythm.MONTHLY:
        year, month = current.year + current.month // 12, current.month % 12 + 1
        day = min(anchor.day, monthrange(year, month)[1])
        date = current.date().replace(year=year, month=month, day=day)
    else:
        date = current.date() + timedelta(days=_DAYS[Rhythm(rhythm)])
    hour: time = anchor.time()
    return datetime.combine(date, hour, timezone.get_default_timezone()).astimezone(UTC)
