"""The contacts behind a number: those who may be known, and how many have no name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from ..contacts.models import Contact
from ..mailings.models import Delivery, Mailing
from ..tracking import retention, totals
from ..tracking.models import Dimension, Event, EventKind, Scope, Tally, Verdict
from .counts import Counts, count
from .curves import Span
from .definitions import BY_CODE
from .parts import OPENING, VERDICTS, copies_in
from .standing import STANDING, delivered

KINDS: dict[str, tuple[EventKind, ...]] = {
    "opened": OPENING,
    "clicked": (EventKind.CLICK,),
    "click_to_open": (EventKind.CLICK,),
    "unsubscribed": (EventKind.UNSUBSCRIBE,),
    "complained": (EventKind.COMPLAINT,),
    "replied": (EventKind.REPLY,),
    "downloaded": (EventKind.DOWNLOAD,),
    "viewed": (EventKind.WEB_VIEW,),
}
"""Figures that count what somebody did."""

ONLY_THROUGH_PROXY = "only_through_proxy"

ABSENCES = {"not_opened": "opened", "not_clicked": "clicked"}
"""What somebody did not do, and the figure that they are missing from."""

ROWS = ("list", "segment", "language")
"""Breakdowns whose numbers ``behind_row`` explains."""

BY_TIME = frozenset({"opened", "clicked"})
"""Figures of which it is known when they happened for the first time."""

ROW_KINDS: dict[str, tuple[EventKind, ...]] = {
    "opened": OPENING,
    "clicked": (EventKind.CLICK,),
}


WITHOUT_EVENTS = frozenset({"sent", "identified", "failed", "uncertain", "replied"})
"""Numbers whose contacts are known from the copies themselves, or from replies, which stay."""

SMALL_GROUP = 5
"""Among fewer anonymous copies than this, somebody could guess whose it was."""


@dataclass(frozen=True)
class Behind:
    """Who is behind a number.

    ``known`` contacts can be named. ``anonymous`` is how many of the figure's copies lead to
    nobody: to people who did not agree to be known, or are no longer stored. These are among
    ``crowd`` copies that were sent to somebody unknown; of several mailings the smallest counts.

    Where retention has deleted events since, at ``events_removed_at``, nobody can be found any
    more: not who did something, and even less who did not.
    """

    contacts: QuerySet[Contact]
    known: int
    anonymous: int
    crowd: int = 0
    events_removed_at: datetime | None = None

    @property
    def is_guessable(self) -> bool:
        """Whether so few copies went to unknown people that one might be told from another."""
        return 0 < self.crowd < SMALL_GROUP


class UnknownFigure(LookupError):
    """No contacts can be behind this code: there is no figure of that name."""


def behind(
    mailings: Iterable[Mailing],
    code: str,
    *,
    scope: Scope = Scope.READERS,
    link_ids: Collection[int] | None = None,
    device: str | None = None,
    client: str | None = None,
    variant: int | None = None,
    why: str | None = None,
    span: Span | None = None,
) -> Behind:
    """Return the contacts behind a figure, or behind one part of it.

    *code* is that of a figure; or ``not_opened`` or ``not_clicked``, identified copies that
    arrived and show no sign; or one of STANDING or ``only_through_proxy``. At most one part may be
    chosen: some links, what a breakdown has as its key, or a *span* of time in which a copy was
    opened or clicked for the first time. Whatever the scope, nobody is named for what a machine
    did. Raises UnknownFigure.
    """
    mailings = list(mailings)
    part = _part(
        link_ids=link_ids, device=device, client=client, variant=variant, why=why, span=span
    )
    if code not in (_known_by_part(part) if part else _KNOWN):
        raise UnknownFigure(code)
    if gone := _events_removed(mailings, code):
        return gone
    if code in STANDING:
        return _behind_copies(mailings, code)
    return replace(_behind_signs(mailings, code, scope, part), crowd=_crowd(mailings))


def behind_row(
    mailings: Iterable[Mailing], code: str, row: str, key: str, *, scope: Scope = Scope.READERS
) -> Behind:
    """Return the contacts behind a number in the row *key* of a breakdown of identified copies.

    *row* is one of ROWS; *code* is sent, identified, opened or clicked. Anonymous here are only
    copies that nobody but a machine has touched, where *scope* takes these in. Raises
    UnknownFigure, and what ``parts.copies_in`` raises.
    """
    mailings = list(mailings)
    if code not in {"sent", "identified", *ROW_KINDS}:
        raise UnknownFigure(code)
    if gone := _events_removed(mailings, code):
        return gone
    copies = copies_in(mailings, row, key)
    if code == "identified":
        copies = copies.filter(identified=True)
    elif code in ROW_KINDS:
        return _behind_signs_in_row(copies.filter(identified=True), code, scope)
    return _behind(copies, "contact", "pk", 0)


def _behind_signs_in_row(copies: QuerySet[Delivery], code: str, scope: Scope) -> Behind:
    events = Event.objects.filter(
        mailing=OuterRef("mailing"),
        copy=OuterRef("pk"),
        kind__in=ROW_KINDS[code],
        verdict__in=VERDICTS[scope],
    )
    by_readers = events.filter(contact__isnull=False).exclude(verdict=Verdict.MACHINE)
    value = copies.filter(Exists(events)).count() if scope == Scope.EVERYTHING else 0
    return _behind(copies.filter(Exists(by_readers)), "contact", "pk", value)


def _events_removed(mailings: list[Mailing], code: str) -> Behind | None:
    """Return nobody where retention has deleted the events that *code* is about; else None."""
    removed_at = retention.removed_at([mailing.pk for mailing in mailings])
    if removed_at is None or code in WITHOUT_EVENTS:
        return None
    return Behind(Contact.objects.none(), known=0, anonymous=0, events_removed_at=removed_at)


def _crowd(mailings: list[Mailing]) -> int:
    rows = totals.totals_of([mailing.pk for mailing in mailings]).values()
    return min((row.sent - row.identified for row in rows if row.sent > row.identified), default=0)


class _Part(NamedTuple):
    """The keys of the tallies that add up to a part, and the events meant.

    Those of a copy that has one of before ``first_since`` are not.
    """

    dimension: Dimension
    keys: list[str]
    events: Q
    first_since: datetime | None = None


_KNOWN = frozenset({*KINDS, *ABSENCES, *STANDING, ONLY_THROUGH_PROXY})


def _known_by_part(part: _Part) -> Collection[str]:
    return BY_TIME if part.dimension == Dimension.HOUR else KINDS


def _part(
    link_ids: Collection[int] | None,
    variant: int | None,
    span: Span | None,
    **fields: str | None,
) -> _Part | None:
    chosen = [
        _Part(Dimension(name), [value], Q((name, value)))
        for name, value in fields.items()
        if value is not None
    ]
    if link_ids is not None:
        keys = [str(pk) for pk in link_ids]
        chosen.append(_Part(Dimension.LINK, keys, Q(link__in=list(link_ids))))
    if variant is not None:
        chosen.append(_Part(Dimension.VARIANT, [str(variant)], Q(variant=variant)))
    if span is not None:
        during = Q(at__gte=span.begin, at__lt=span.end)
        chosen.append(_Part(Dimension.HOUR, span.keys, during, first_since=span.begin))
    if len(chosen) > 1:
        raise ValueError("only one part of a figure can be looked at")
    return chosen[0] if chosen else None


def _behind_signs(mailings: list[Mailing], code: str, scope: Scope, part: _Part | None) -> Behind:
    if code in ABSENCES:
        return _behind_silence(mailings, ABSENCES[code], scope)
    if code == ONLY_THROUGH_PROXY:
        return _behind_proxies(mailings)
    return _behind_events(mailings, code, scope, part)


def _behind_events(mailings: list[Mailing], code: str, scope: Scope, part: _Part | None) -> Behind:
    value = _value_of_part(mailings, code, scope, part) if part else _value(mailings, code, scope)
    events = _named_events(mailings, KINDS[code], scope)
    if part:
        events = events.filter(part.events)
    if part and part.first_since:
        earlier = Event.objects.filter(
            mailing=OuterRef("mailing"),
            copy=OuterRef("copy"),
            kind__in=KINDS[code],
            verdict__in=VERDICTS[scope],
            at__lt=part.first_since,
        )
        events = events.filter(~Exists(earlier))
    return _behind(events, "contact", "copy", value)


def _behind_silence(mailings: list[Mailing], code: str, scope: Scope) -> Behind:
    """Return those who got a copy of theirs and did not do it, and how many copies did not."""
    counts = count(mailings, scope)
    done = Event.objects.filter(
        mailing=OuterRef("mailing"),
        copy=OuterRef("pk"),
        kind__in=KINDS[code],
        verdict__in=VERDICTS[scope],
    )
    copies = delivered(mailings).filter(~Exists(done), identified=True)
    silent = max(0, counts.delivered_apart - _figure(counts, code))
    return _behind(copies, "contact", "pk", silent)


def _behind_copies(mailings: list[Mailing], code: str) -> Behind:
    counts = count(mailings, Scope.READERS)
    value = _figure(counts, code) if code in BY_CODE else getattr(counts, code)
    return _behind(STANDING[code](mailings), "contact", "pk", value)


def _behind_proxies(mailings: list[Mailing]) -> Behind:
    """Return the readers of whose copy only a mail service's proxy has loaded anything."""
    by_people = Event.objects.filter(
        mailing=OuterRef("mailing"),
        copy=OuterRef("copy"),
        kind__in=OPENING,
        verdict__in=VERDICTS[Scope.PEOPLE],
    )
    events = _named_events(mailings, OPENING, Scope.READERS).filter(~Exists(by_people))
    value = count(mailings, Scope.READERS).only_through_proxy
    return _behind(events, "contact", "copy", value)


def _behind(rows: QuerySet[Any], contact: str, copy: str, value: int) -> Behind:
    """Return the contacts of *rows*, and the part of *value* that these do not account for.

    Copies are subtracted from copies: one contact may have got several e-mails.
    """
    known = rows.filter(contact__isnull=False).order_by()
    numbers = known.aggregate(
        contacts=Count(contact, distinct=True), copies=Count(copy, distinct=True)
    )
    return Behind(
        contacts=Contact.objects.filter(pk__in=known.values(contact)),
        known=numbers["contacts"],
        anonymous=max(0, value - numbers["copies"]),
    )


def _value(mailings: list[Mailing], code: str, scope: Scope) -> int:
    return _figure(count(mailings, scope), code)


def _figure(counts: Counts, code: str) -> int:
    return BY_CODE[code].value(counts)


def _value_of_part(mailings: list[Mailing], code: str, scope: Scope, part: _Part) -> int:
    rows = Tally.objects.filter(
        mailing__in=mailings, scope=scope, dimension=part.dimension, key__in=part.keys
    )
    # Clicked of opened is about those who clicked.
    column = "clicked" if code == "click_to_open" else code
    return rows.aggregate(value=Sum(column))["value"] or 0


def _named_events(
    mailings: list[Mailing], kinds: Collection[EventKind], scope: Scope
) -> QuerySet[Event]:
    return Event.objects.filter(
        mailing__in=mailings, kind__in=kinds, copy__isnull=False, verdict__in=VERDICTS[scope]
    ).exclude(verdict=Verdict.MACHINE)
