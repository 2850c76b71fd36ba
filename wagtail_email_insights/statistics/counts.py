"""The raw counts behind the figures: a fixed number of queries, however much has happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields

from django.db.models import Count, Subquery

from ..conf import app_settings
from ..mailings.models import Mailing
from ..tracking import recording, totals
from ..tracking.folding import COLUMNS
from ..tracking.models import Dimension, Event, EventKind, Scope, Tally, TrackedLink
from ..tracking.totals import BOUNCES

REPORTED = {
    EventKind.HARD_BOUNCE: "hard_bounced",
    EventKind.SOFT_BOUNCE: "soft_bounced",
    EventKind.COMPLAINT: "complained",
    EventKind.REPLY: "replied",
}
"""Kinds that only somebody else can tell us of, and what they leave a count in."""


@dataclass(frozen=True)
class Counts:
    """What happened to some mailings; ``opened`` counts copies, ``opens`` every time it happened.

    Everything is a sum over the mailings, so that rates are never averages of rates. What
    machines did is in ``machine_…`` whatever the scope of the others; ``only_through_proxy``
    counts the copies whose one sign of reading was fetched by a mail service. ``offered_a_file``
    is ``delivered_apart`` of the mailings that have an attachment.
    """

    audience: int = 0
    attempted: int = 0
    sent: int = 0
    failed: int = 0
    uncertain: int = 0
    identified: int = 0
    told_apart: int = 0
    hard_bounced: int = 0
    soft_bounced: int = 0
    told_apart_bounced: int = 0
    opened: int = 0
    opens: int = 0
    opens_identified: int = 0
    clicked: int = 0
    clicks: int = 0
    clicks_identified: int = 0
    downloaded: int = 0
    downloads: int = 0
    viewed: int = 0
    views: int = 0
    unsubscribed: int = 0
    complained: int = 0
    replied: int = 0
    replies: int = 0
    auto_replied: int = 0
    machine_opens: int = 0
    machine_clicks: int = 0
    only_through_proxy: int = 0
    attachments: int = 0
    offered_a_file: int = 0
    reported: frozenset[str] = frozenset()

    @property
    def bounced(self) -> int:
        return self.hard_bounced + self.soft_bounced

    @property
    def delivered(self) -> int:
        """Copies that arrived as far as anybody told us: sent, less those that came back."""
        return self.sent - self.bounced

    @property
    def delivered_apart(self) -> int:
        """Delivered copies whose opens and clicks can be counted once per copy.

        All of them unless anonymous copies are counted in totals only, or not at all.
        """
        return self.told_apart - self.told_apart_bounced

    @property
    def not_told_apart(self) -> int:
        """Copies whose opens and clicks are in totals at most."""
        return self.sent - self.told_apart

    @property
    def waiting(self) -> int:
        """Copies that are not settled yet."""
        return self.attempted - self.sent - self.failed - self.uncertain

    @property
    def skipped(self) -> int:
        return self.audience - self.attempted


NUMBERS = tuple(field.name for field in fields(Counts) if field.name != "reported")


def count(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Counts:
    """Add up what happened to *mailings*."""
    [counts] = count_groups([list(mailings)], scope)
    return counts


def count_groups(
    groups: Sequence[Collection[Mailing]], scope: Scope = Scope.READERS
) -> list[Counts]:
    """Add up each group of mailings for itself; as many queries for all groups as for one."""
    recording.catch_up()
    each = _count_each(list({mailing.pk for group in groups for mailing in group}), scope)
    reported = reported_kinds()
    return [_added_up([each[mailing.pk] for mailing in group], reported) for group in groups]


def reported_kinds() -> frozenset[str]:
    """Return the kinds of feedback that somebody reports: a mailbox that is read, or past reports.

    What no source reports is absent from the figures, not zero.
    """
    connected = BOUNCES | {EventKind.REPLY} if app_settings.mailboxes else frozenset()
    return frozenset(_kinds_seen() | connected)


def _kinds_seen() -> set[str]:
    """Look for one event of each kind, in one query that reads as many rows as there are kinds.

    Each subquery is sorted because "is there any" alone may be answered by reading the table until
    one turns up; the order leaves the index by kind and time as the only sensible way.
    """
    oldest = {
        f"any_{kind.value}": Subquery(
            Event.objects.filter(kind=kind).order_by("at").values("pk")[:1]
        )
        for kind in REPORTED
    }
    row = Event.objects.order_by("pk").values(**oldest).first() or {}
    return {name.removeprefix("any_") for name, pk in row.items() if pk}


def _count_each(mailing_ids: Collection[int], scope: Scope) -> dict[int, Counter[str]]:
    # One that was deleted just now has no row any more, and counts nothing.
    each: dict[int, Counter[str]] = {pk: Counter() for pk in mailing_ids}
    for pk, row in totals.totals_of(mailing_ids).items():
        each[pk].update({name: getattr(row, name) for name in totals.COUNTED})
    for pk, sums in _sums_of_events(mailing_ids, scope).items():
        each[pk].update(sums)
    for pk, number in _attachments(mailing_ids):
        each[pk]["attachments"] = number
    for of_one in each.values():
        of_one["offered_a_file"] = _offered_a_file(of_one)
    return each


def _offered_a_file(of_one: Counter[str]) -> int:
    """Return how many readers of one mailing had an attachment before them."""
    if not (of_one["attachments"] or of_one["downloads"]):
        return 0
    return of_one["told_apart"] - of_one["told_apart_bounced"]


def _sums_of_events(mailing_ids: Collection[int], scope: Scope) -> dict[int, dict[str, int]]:
    rows = Tally.objects.filter(
        mailing__in=mailing_ids, scope__in=Scope.values, dimension=Dimension.ALL, key=""
    ).values("mailing", "scope", *COLUMNS)
    by_scope: dict[int, dict[int, Counter[str]]] = {}
    for row in rows:
        mailing_id, of_scope = row.pop("mailing"), row.pop("scope")
        by_scope.setdefault(mailing_id, {})[of_scope] = Counter(row)
    return {pk: _with_those_beside(scopes, scope) for pk, scopes in by_scope.items()}


def _with_those_beside(scopes: dict[int, Counter[str]], scope: Scope) -> dict[str, int]:
    people, readers, everything = (scopes.get(each, Counter()) for each in Scope)
    return {
        **scopes.get(scope, {}),
        "machine_opens": everything["opens"] - readers["opens"],
        "machine_clicks": everything["clicks"] - readers["clicks"],
        "only_through_proxy": readers["opened"] - people["opened"],
    }


def _attachments(mailing_ids: Collection[int]) -> Iterable[tuple[int, int]]:
    return (
        TrackedLink.objects.filter(mailing__in=mailing_ids, document_id__isnull=False)
        .order_by()
        .values_list("mailing")
        .annotate(number=Count("pk"))
    )


def _added_up(parts: Iterable[Counter[str]], reported: frozenset[str]) -> Counts:
    numbers = dict.fromkeys(NUMBERS, 0)
    for part in parts:
        for name, number in part.items():
            numbers[name] += number
    return Counts(**numbers, reported=reported | _reported_by(numbers))


def _reported_by(numbers: dict[str, int]) -> set[str]:
    """Return the kinds that left a count, though retention may have removed their events."""
    return {kind for kind, column in REPORTED.items() if numbers[column]}
