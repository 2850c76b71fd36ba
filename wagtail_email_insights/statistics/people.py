"""The contacts behind a number: those who may be known, and how many nobody can name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from ..contacts.models import Contact
from ..mailings.models import Delivery, DeliveryState, Mailing
from ..tracking.models import Dimension, Event, EventKind, Scope, Tally, Verdict
from ..tracking.totals import BOUNCES
from .counts import Counts, count
from .definitions import BY_CODE
from .parts import OPENING, VERDICTS

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

ABSENCES = {"not_opened": "opened", "not_clicked": "clicked"}
"""What somebody did not do, and the figure that they are missing from."""

STANDING = ("sent", "delivered", "bounced")
"""Figures about the copy itself, which always has its contact."""


@dataclass(frozen=True)
class Behind:
    """Who is behind a number.

    ``known`` contacts can be named. ``anonymous`` is how many of the figure's copies lead to
    nobody: to people who did not agree to be known, or are no longer stored.
    """

    contacts: QuerySet[Contact]
    known: int
    anonymous: int


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
) -> Behind:
    """Return the contacts behind a figure, or behind one part of it.

    *code* is that of a figure, or ``not_opened`` or ``not_clicked``: identified copies that
    arrived and show no sign. At most one part may be chosen: some links, or what a breakdown has
    as its key. Whatever the scope, nobody is named for what a machine did. Raises UnknownFigure.
    """
    mailings = list(mailings)
    part = _part(link_ids=link_ids, device=device, client=client, variant=variant, why=why)
    if code in KINDS:
        return _behind_events(mailings, code, scope, part)
    if code in ABSENCES:
        return _behind_silence(mailings, ABSENCES[code], scope)
    if code in STANDING:
        return _behind_copies(mailings, code)
    raise UnknownFigure(code)


Part = tuple[Dimension, list[str], Q]
"""The dimension, the keys of its tallies that add up to the part, and which events are meant."""


def _part(
    link_ids: Collection[int] | None, variant: int | None, **fields: str | None
) -> Part | None:
    chosen: list[Part] = [
        (Dimension(name), [value], Q((name, value)))
        for name, value in fields.items()
        if value is not None
    ]
    if link_ids is not None:
        keys = [str(pk) for pk in link_ids]
        chosen.append((Dimension.LINK, keys, Q(link__in=list(link_ids))))
    if variant is not None:
        chosen.append((Dimension.VARIANT, [str(variant)], Q(variant=variant)))
    if len(chosen) > 1:
        raise ValueError("only one part of a figure can be looked at")
    return chosen[0] if chosen else None


def _behind_events(mailings: list[Mailing], code: str, scope: Scope, part: Part | None) -> Behind:
    value = _value_of_part(mailings, code, scope, part) if part else _value(mailings, code, scope)
    events = _named_events(mailings, KINDS[code], scope)
    if part:
        events = events.filter(part[2])
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
    copies = _delivered(mailings).filter(~Exists(done), identified=True)
    silent = max(0, counts.delivered_apart - _figure(counts, code))
    return _behind(copies, "contact", "pk", silent)


def _behind_copies(mailings: list[Mailing], code: str) -> Behind:
    copies = {"sent": _sent, "delivered": _delivered, "bounced": _bounced}[code](mailings)
    value = _value(mailings, code, Scope.READERS)
    return _behind(copies, "contact", "pk", value)


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


def _value_of_part(mailings: list[Mailing], code: str, scope: Scope, part: Part) -> int:
    dimension, keys, _events = part
    rows = Tally.objects.filter(
        mailing__in=mailings, scope=scope, dimension=dimension, key__in=keys
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


def _sent(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(mailing__in=mailings, state=DeliveryState.SENT)


def _delivered(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return _sent(mailings).exclude(_came_back())


def _bounced(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return _sent(mailings).filter(_came_back())


def _came_back() -> Q:
    """Bounced for good, or for now and never arrived after all."""
    events = Event.objects.filter(mailing=OuterRef("mailing"), copy=OuterRef("pk"))
    hard = Exists(events.filter(kind=EventKind.HARD_BOUNCE))
    soft = Exists(events.filter(kind__in=BOUNCES))
    arrived = Exists(events.filter(kind=EventKind.DELIVERED))
    return Q(hard) | (Q(soft) & ~Q(arrived))
