"""When readers opened and clicked: by hour at first, by day later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from django.db.models import Sum
from django.utils import timezone

from ..mailings.models import Mailing
from ..tracking.models import Dimension, Scope, Tally

Unit = Literal["hour", "day"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST_HOURS = timedelta(hours=48)
"""How long a curve is drawn by the hour."""

_KEY = "%Y-%m-%dT%H"


@dataclass(frozen=True)
class Span:
    """An hour or a day of a curve: the whole hours from ``begin`` until before ``end``."""

    begin: datetime
    end: datetime

    @property
    def keys(self) -> list[str]:
        """The keys of its hours among the tallies."""
        hours = (self.end - self.begin) // HOUR
        return [(self.begin + HOUR * number).strftime(_KEY) for number in range(hours)]


@dataclass(frozen=True)
class Point:
    """What happened in the hour or day that begins at ``start``.

    ``opens`` and ``clicks`` count every time; ``opened`` and ``clicked`` the copies for which it
    was the first time, so that they add up to the figures of the same name.
    """

    start: datetime
    opens: int = 0
    clicks: int = 0
    opened: int = 0
    clicked: int = 0

    def __add__(self, other: Point) -> Point:
        return Point(
            start=self.start,
            opens=self.opens + other.opens,
            clicks=self.clicks + other.clicks,
            opened=self.opened + other.opened,
            clicked=self.clicked + other.clicked,
        )


@dataclass(frozen=True)
class Curve:
    """Points without gaps, from the start of the first mailing to the last sign of a reader."""

    unit: Unit
    points: list[Point]

    @property
    def is_empty(self) -> bool:
        return not self.points


def spelled(unit: Unit, start: datetime) -> str:
    """Return the point of a curve that begins at *start* as ``span_of`` reads it."""
    return start.astimezone(UTC).strftime(_KEY) if unit == "hour" else start.date().isoformat()


def span_of(unit: Unit, text: str) -> Span:
    """Read what ``spelled`` has written; a day is one of the current time zone.

    Raises ValueError.
    """
    try:
        if unit == "hour":
            begin = _parsed(text)
            return Span(begin, begin + HOUR)
        day = date.fromisoformat(text)
        return Span(_first_hour_of(day), _first_hour_of(day + DAY))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"no {unit} of a curve: {text!r}") from error


def curve_for(
    mailings: Iterable[Mailing], scope: Scope = Scope.READERS, *, unit: Unit | None = None
) -> Curve:
    """Return opens and clicks over time; one query.

    By the hour as long as everything lies within the first 48 hours, by the day after that. Asked
    for a *unit*, it uses that one; hours then end after the first 48. Days begin at midnight of
    the current time zone.
    """
    mailings = list(mailings)
    hours = _points_by_hour(mailings, scope)
    if not hours:
        return Curve(unit or "hour", [])
    begun = [mailing.started_at for mailing in mailings if mailing.started_at]
    first, last = min([*map(_hour_of, begun), *hours]), max(hours)
    if (unit or _fitting(first, last)) == "day":
        return Curve("day", _by_day(hours, first, last))
    return Curve("hour", _by_hour(hours, first, min(last, first + FIRST_HOURS - HOUR)))


def _points_by_hour(mailings: Iterable[Mailing], scope: Scope) -> dict[datetime, Point]:
    rows = (
        Tally.objects.filter(mailing__in=list(mailings), scope=scope, dimension=Dimension.HOUR)
        .order_by()
        .values("key")
        .annotate(
            all_opens=Sum("opens"),
            all_clicks=Sum("clicks"),
            all_opened=Sum("opened"),
            all_clicked=Sum("clicked"),
        )
        .values_list("key", "all_opens", "all_clicks", "all_opened", "all_clicked")
    )
    points = (Point(_parsed(key), *numbers) for key, *numbers in rows if any(numbers))
    return {point.start: point for point in points}


def _parsed(key: str) -> datetime:
    return datetime.strptime(key, _KEY).replace(tzinfo=UTC)


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _fitting(first: datetime, last: datetime) -> Unit:
    return "hour" if last - first < FIRST_HOURS else "day"


def _by_hour(hours: dict[datetime, Point], first: datetime, last: datetime) -> list[Point]:
    starts = (first + HOUR * number for number in range((last - first) // HOUR + 1))
    points = (hours.get(start, Point(start)) for start in starts)
    return [replace(point, start=timezone.localtime(point.start)) for point in points]


def _by_day(hours: dict[datetime, Point], first: datetime, last: datetime) -> list[Point]:
    days = {day: Point(_midnight(day)) for day in _days(_day_of(first), _day_of(last))}
    for start, point in hours.items():
        days[_day_of(start)] += point
    return list(days.values())


def _day_of(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def _days(first: date, last: date) -> Iterator[date]:
    return (first + DAY * number for number in range((last - first).days + 1))


def _first_hour_of(day: date) -> datetime:
    """Return the first whole hour that begins on *day*, as ``_day_of`` tells days."""
    midnight = _midnight(day).astimezone(UTC)
    return _hour_of(midnight + HOUR - timedelta(microseconds=1))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
