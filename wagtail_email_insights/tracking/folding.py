"""From events to sums: what a mailing's tallies say, by one definition.

Everything is said copy by copy: a copy was opened or was not, followed a link or did not. That is
why the sums of some copies can be taken out and put in again when their events change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncHour

from .models import Dimension, Event, EventKind, Scope, Tally, Verdict

Place = tuple[int, str, str]
"""Scope, dimension, key."""

Sums = dict[Place, dict[str, int]]

TOTALS = {
    EventKind.OPEN: "opens",
    EventKind.CLICK: "clicks",
    EventKind.DOWNLOAD: "downloads",
    EventKind.WEB_VIEW: "views",
    EventKind.REPLY: "replies",
}
"""The column that counts every event of a kind."""

UNIQUES = {
    EventKind.OPEN: ("opened",),
    # A click implies an open: mail clients that load no images report clicks only.
    EventKind.CLICK: ("opened", "clicked"),
    EventKind.DOWNLOAD: ("opened", "downloaded"),
    EventKind.WEB_VIEW: ("viewed",),
    EventKind.UNSUBSCRIBE: ("unsubscribed",),
    EventKind.COMPLAINT: ("complained",),
    EventKind.REPLY: ("replied",),
    EventKind.AUTO_REPLY: ("auto_replied",),
}
"""The columns that count each copy once."""

IDENTIFIED = {EventKind.OPEN: "opens_identified", EventKind.CLICK: "clicks_identified"}

COLUMNS = tuple(
    field.name
    for field in Tally._meta.concrete_fields
    if field.name not in {"id", "mailing", "scope", "dimension", "key"}
)

SEEN = frozenset({EventKind.OPEN, EventKind.CLICK, EventKind.DOWNLOAD, EventKind.WEB_VIEW})
"""Kinds that come in as a request of somebody's program, and are judged."""

_FIRST_SCOPE = {Verdict.PROXY: Scope.READERS, Verdict.MACHINE: Scope.EVERYTHING}
_SCOPES = tuple(Scope)
_FROM_SCOPE = {scope: _SCOPES[scope:] for scope in Scope}
_BY_FIRST_HOUR = ("opened", "clicked")
_TOTALS_ONLY = frozenset({Dimension.VERDICT, Dimension.HOUR})
_HOUR = "%Y-%m-%dT%H"


class Fact(NamedTuple):
    """Events of one copy that do not differ in anything that is counted."""

    copy: int | None
    kind: str
    verdict: str
    verdict_reason: str
    link_id: int | None
    variant: int
    device: str
    client: str
    why: str
    identified: bool
    hour: str
    times: int

    @classmethod
    def of(cls, event: Event) -> Fact:
        return cls(
            copy=event.copy,
            kind=event.kind,
            verdict=event.verdict,
            verdict_reason=event.verdict_reason,
            link_id=event.link_id,
            variant=event.variant,
            device=event.device,
            client=event.client,
            why=event.why,
            identified=event.contact_id is not None,
            hour=event.at.astimezone(UTC).strftime(_HOUR),
            times=1,
        )


def fold(facts: Iterable[Fact]) -> Sums:
    """Return the sums that follow from *facts*, which are all facts of their copies."""
    sums: Sums = defaultdict(lambda: defaultdict(int))
    counted: set[tuple[int, Place, str]] = set()
    first_hours: dict[tuple[int, int, str], str] = {}
    for fact in facts:
        kind = EventKind(fact.kind)
        uniques = UNIQUES.get(kind, ()) if fact.copy is not None else ()
        for place in _places(fact, kind):
            _add_totals(sums[place], fact, kind)
            if place[1] not in _TOTALS_ONLY:
                for column in uniques:
                    if (fact.copy, place, column) not in counted and _counts(place, column):
                        counted.add((fact.copy, place, column))  # type: ignore[arg-type]
                        sums[place][column] += 1
        for scope in _scopes(fact):
            for column in uniques:
                if column in _BY_FIRST_HOUR:
                    who = (fact.copy, scope, column)
                    first_hours[who] = min(fact.hour, first_hours.get(who, fact.hour))  # type: ignore[index,arg-type]
    for (_copy, scope, column), hour in first_hours.items():
        sums[scope, Dimension.HOUR.value, hour][column] += 1
    return sums


def difference(after: Sums, before: Sums) -> Sums:
    """Return what has to be added to *before* to get *after*; nothing where that is zero."""
    changes: Sums = {}
    for place in after.keys() | before.keys():
        new, old = after.get(place, {}), before.get(place, {})
        changed = {
            column: delta
            for column in new.keys() | old.keys()
            if (delta := new.get(column, 0) - old.get(column, 0))
        }
        if changed:
            changes[place] = changed
    return changes


def facts_of(
    mailing_id: int, copies: Collection[int], event_ids: Collection[int] = ()
) -> list[Fact]:
    """Return the facts of whole *copies*, and of single events that belong to no copy."""
    wanted = Q(copy__in=copies)
    if event_ids:
        wanted |= Q(copy__isnull=True, pk__in=event_ids)
    return list(facts_in(Event.objects.filter(wanted, mailing=mailing_id)))


def facts_in(events: QuerySet[Event]) -> Iterator[Fact]:
    """Return the facts of *events*, one copy's after the other's."""
    rows = (
        events.annotate(hour=TruncHour("at", tzinfo=UTC), identified=Q(contact__isnull=False))
        .values_list(
            "copy",
            "kind",
            "verdict",
            "verdict_reason",
            "link_id",
            "variant",
            "device",
            "client",
            "why",
            "identified",
            "hour",
        )
        .annotate(times=Count("pk"))
        .order_by("copy")
    )
    for row in rows.iterator(chunk_size=5000):
        *columns, identified, hour, times = row
        yield Fact._make((*columns, bool(identified), hour.strftime(_HOUR), times))


def _places(fact: Fact, kind: EventKind) -> Iterator[Place]:
    for scope in _scopes(fact):
        yield scope, "", ""
        yield scope, "variant", str(fact.variant)
        if kind in SEEN:
            yield scope, "device", fact.device
            yield scope, "client", fact.client
            yield scope, "hour", fact.hour
            if fact.link_id is not None:
                yield scope, "link", str(fact.link_id)
        if kind == EventKind.UNSUBSCRIBE:
            yield scope, "why", fact.why
    if kind in SEEN:
        yield Scope.EVERYTHING.value, "verdict", f"{fact.verdict}:{fact.verdict_reason}"[:40]


def _scopes(fact: Fact) -> tuple[int, ...]:
    return _FROM_SCOPE[_FIRST_SCOPE.get(fact.verdict, Scope.PEOPLE)]  # type: ignore[call-overload]


def _counts(place: Place, column: str) -> bool:
    # That somebody who followed a link opened the e-mail is no number about the link.
    return place[1] != Dimension.LINK or column != "opened"


def _add_totals(cell: dict[str, int], fact: Fact, kind: EventKind) -> None:
    if kind in TOTALS:
        cell[TOTALS[kind]] += fact.times
    if fact.identified and kind in IDENTIFIED:
        cell[IDENTIFIED[kind]] += fact.times
