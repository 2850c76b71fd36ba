"""Everything that was sent in a span of time: sums, trend, the best and the worst."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from typing import Literal

from django.db.models import Q, QuerySet
from django.utils import timezone
from wagtail.models import Site

from ..conf import app_settings
from ..contacts.models import RecipientList
from ..mailings.models import OPEN_STATES, Mailing
from ..site_settings.models import Sender
from ..tracking.models import Scope
from .figures import Figures, figures_for_groups
from .gathering import with_links

Unit = Literal["day", "week", "month"]

LONGEST_BY_DAY = timedelta(days=31)
LONGEST_BY_WEEK = timedelta(days=183)
RANKED = 5
"""How many mailings are called the best, and how many the worst."""
RIPE = timedelta(hours=6)
"""How long ago a mailing must be finished to be ranked: half of all who open do so in this time."""


@dataclass(frozen=True)
class OverviewFilters:
    """Which mailings: begun from ``start`` to before ``end``, to a list, by a sender, of a site.

    A mailing to several lists counts as a whole for each of them: figures cannot be split by list.
    ``before_start`` is when the span to compare with begins, if that is not as long as this one.
    """

    start: datetime
    end: datetime
    recipient_list: RecipientList | None = None
    sender: Sender | None = None
    site: Site | None = None
    before_start: datetime | None = None

    @classmethod
    def last_days(cls, days: int = 30) -> OverviewFilters:
        """Return the last *days* days, today among them, in the current time zone."""
        tomorrow = timezone.localdate() + timedelta(days=1)
        return cls(start=_midnight(tomorrow - timedelta(days=days)), end=_midnight(tomorrow))

    @property
    def before(self) -> OverviewFilters:
        """The span as long, by the clock on the wall, that ends where this one begins."""
        first, last = map(timezone.make_naive, (self.start, self.end))
        start = self.before_start or timezone.make_aware(first - (last - first))
        return replace(self, start=start, end=self.start, before_start=None)

    @property
    def unit(self) -> Unit:
        """How finely a trend over this span is drawn."""
        length = self.end - self.start
        if length <= LONGEST_BY_DAY:
            return "day"
        return "week" if length <= LONGEST_BY_WEEK else "month"


@dataclass(frozen=True)
class TrendPoint:
    """The figures of what began in the day, week or month from ``start`` on."""

    start: datetime
    mailings: int
    figures: Figures


@dataclass(frozen=True)
class OverviewRow:
    mailing: Mailing
    figures: Figures


@dataclass(frozen=True)
class Overview:
    """What was sent, newest first, and what became of it; ``previous`` is the span before.

    ``best`` and ``worst`` go by click rate, among mailings of enough copies that readers had time
    for, never the same one in both; the worst comes first in ``worst``.
    """

    filters: OverviewFilters
    totals: Figures
    previous: Figures
    unit: Unit
    trend: list[TrendPoint]
    best: list[OverviewRow]
    worst: list[OverviewRow]
    rows: list[OverviewRow]


def overview(filters: OverviewFilters, scope: Scope = Scope.READERS) -> Overview:
    """Return the figures of all mailings that *filters* lets through; sums over sums.

    The number of queries depends neither on the mailings nor on what happened to them.
    """
    mailings, earlier = list(mailings_in(filters)), list(mailings_in(filters.before))
    buckets = _buckets(filters, mailings)
    ones = [[mailing] for mailing in mailings]
    totals, previous, *rest = figures_for_groups(
        [mailings, earlier, *buckets.values(), *ones], scope
    )
    of_buckets, of_ones = rest[: len(buckets)], rest[len(buckets) :]
    rows = [OverviewRow(*pair) for pair in zip(mailings, of_ones, strict=True)]
    ranked = _ranked(rows)
    number = min(RANKED, len(ranked) // 2)
    return Overview(
        filters=filters,
        totals=totals,
        previous=previous,
        unit=filters.unit,
        trend=[
            TrendPoint(start, len(bucket), figures)
            for (start, bucket), figures in zip(buckets.items(), of_buckets, strict=True)
        ],
        best=ranked[:number],
        worst=ranked[::-1][:number],
        rows=rows,
    )


def mailings_in(filters: OverviewFilters) -> QuerySet[Mailing]:
    """Return the mailings that were begun in the span and fit, newest first."""
    mailings = Mailing.objects.started().filter(
        started_at__gte=filters.start, started_at__lt=filters.end
    )
    if filters.recipient_list:
        on_list = Mailing.recipient_lists.through.objects.filter(
            recipientlist=filters.recipient_list
        ).values("mailing")
        mailings = mailings.filter(Q(pk__in=on_list) | Q(to_all_lists=True))
    if filters.sender:
        mailings = mailings.filter(sender=filters.sender)
    if filters.site:
        mailings = mailings.filter(site=filters.site)
    return mailings.select_related("email", "sender")


def _ranked(rows: list[OverviewRow]) -> list[OverviewRow]:
    """Return those that can be clicked, large enough and old enough to tell, most clicked first."""
    floor = max(1, app_settings.ranking_floor)
    linked = with_links([row.mailing.pk for row in rows])
    weighty = [
        (rate, row)
        for row in rows
        if row.mailing.pk in linked
        and _is_ripe(row.mailing)
        # What the rate is of: where anonymous copies are not told apart, that is not all of them.
        and row.figures["clicked"].denominator >= floor
        and (rate := row.figures["clicked"].rate) is not None
    ]
    return [row for _rate, row in sorted(weighty, key=itemgetter(0), reverse=True)]


def _is_ripe(mailing: Mailing) -> bool:
    """Tell whether even those who got it last have had time for it."""
    if mailing.state in OPEN_STATES:
        return False
    ended = mailing.finished_at or mailing.started_at
    return ended is not None and ended <= timezone.now() - RIPE


def _buckets(filters: OverviewFilters, mailings: list[Mailing]) -> dict[datetime, list[Mailing]]:
    """Sort the mailings into days, weeks or months; those without any are there too."""
    buckets: dict[datetime, list[Mailing]] = {start: [] for start in _starts(filters)}
    for mailing in mailings:
        if mailing.started_at:
            day = timezone.localtime(mailing.started_at).date()
            buckets[_midnight(_beginning(day, filters.unit))].append(mailing)
    return buckets


def _starts(filters: OverviewFilters) -> Iterator[datetime]:
    day = _beginning(timezone.localtime(filters.start).date(), filters.unit)
    while (start := _midnight(day)) < filters.end:
        yield start
        day = _following(day, filters.unit)


def _beginning(day: date, unit: Unit) -> date:
    """Return the first day of the week or month that *day* is in; weeks begin on Mondays."""
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit == "week" else day


def _following(day: date, unit: Unit) -> date:
    if unit == "month":
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if unit == "week" else 1)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
