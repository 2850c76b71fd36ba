"""Figures of some of the readers: of one list, one segment, one language.

Counted copy by copy when somebody asks, not kept as sums. Only identified copies can be split: a
copy that leads to nobody is in no list. So ``sent`` counts everybody, the rest those who may be
known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from ..contacts.models import Contact, SubscriptionStatus
from ..mailings.models import Delivery, DeliveryState, Mailing
from ..segments.models import Segment
from ..segments.queries import segment_q, unknown_conditions
from ..tracking.models import Event, EventKind, Scope, Verdict
from .definitions import Words
from .figures import ratio

MOST_SEGMENTS = 20
"""Each costs a query of its own."""

SUBSCRIPTION = "contact__subscriptions"
LIST = f"{SUBSCRIPTION}__recipient_list"

OPENING = (EventKind.OPEN, EventKind.CLICK, EventKind.DOWNLOAD)
"""Who follows a link or opens an attachment has opened the e-mail."""

VERDICTS = {
    Scope.PEOPLE: (Verdict.HUMAN, Verdict.SUSPECTED),
    Scope.READERS: (Verdict.HUMAN, Verdict.SUSPECTED, Verdict.PROXY),
    Scope.EVERYTHING: tuple(Verdict),
}


@dataclass(frozen=True)
class PartSlice:
    """Some of the readers: copies sent to them, and what the identified ones of these did."""

    key: str
    label: Words
    sent: int
    identified: int
    opened: int
    clicked: int

    @property
    def open_rate(self) -> float | None:
        """Opened of the identified copies."""
        return ratio(self.opened, self.identified)

    @property
    def click_rate(self) -> float | None:
        """Clicked of the identified copies."""
        return ratio(self.clicked, self.identified)


def by_list(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> list[PartSlice]:
    """Return the lists that the readers were on when their copy was sent, the largest first.

    A reader on two lists is part of both; one query.
    """
    return _grouped(_on_lists(mailings), LIST, f"{LIST}__name", scope)


def by_language(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> list[PartSlice]:
    """Return the readers by the language noted for them, the largest part first; one query."""
    return _grouped(_sent(mailings), "contact__language", "contact__language", scope)


def by_segment(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> list[PartSlice]:
    """Return the segments that the readers are in today, in the order of their names.

    One query each, for twenty at most. Segments nobody of the readers is in are left out, as are
    those whose rule uses a condition that is no longer installed.
    """
    copies = _sent(mailings)
    segments = list(Segment.objects.order_by("name")[:MOST_SEGMENTS])
    unknown = unknown_conditions(segments)
    known = [segment for segment in segments if segment.pk not in unknown]
    parts = [_of_segment(segment, copies, scope) for segment in known]
    return [part for part in parts if part.sent]


def copies_in(mailings: Iterable[Mailing], part: str, key: str) -> QuerySet[Delivery]:
    """Return the copies that the row *key* of a breakdown counts as sent.

    *part* is "list", "segment" or "language". Raises ``Segment.DoesNotExist`` and
    ``UnknownCondition`` for segments of which nobody can tell who is in them.
    """
    if part == "list":
        return _on_lists(mailings, **{LIST: key})
    if part == "language":
        return _sent(mailings).filter(contact__language=key)
    return _of_members(_sent(mailings), Segment.objects.get(pk=key))


def _sent(mailings: Iterable[Mailing]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        mailing__in=list(mailings), state=DeliveryState.SENT, contact__isnull=False
    ).order_by()


def _on_lists(mailings: Iterable[Mailing], **more: Any) -> QuerySet[Delivery]:
    """Return the copies once per list that the reader was on when it was sent."""
    left_since = Q(
        (f"{SUBSCRIPTION}__status", SubscriptionStatus.UNSUBSCRIBED),
        (f"{SUBSCRIPTION}__changed_at__gte", F("settled_at")),
    )
    was_on_it = Q((f"{SUBSCRIPTION}__status", SubscriptionStatus.SUBSCRIBED)) | left_since
    since = {f"{SUBSCRIPTION}__created_at__lte": F("settled_at")}
    # One call: all of it has to hold of the same subscription.
    return _sent(mailings).filter(was_on_it, **since, **more)


def _of_members(copies: QuerySet[Delivery], segment: Segment) -> QuerySet[Delivery]:
    return copies.filter(contact__in=Contact.objects.filter(segment_q(segment)))


def _counts(scope: Scope) -> dict[str, Count]:
    events = Event.objects.filter(
        mailing=OuterRef("mailing"), copy=OuterRef("pk"), verdict__in=VERDICTS[scope]
    )
    known = Q(identified=True)
    return {
        "n_sent": Count("pk"),
        "n_identified": Count("pk", filter=known),
        "n_opened": Count("pk", filter=known & Q(Exists(events.filter(kind__in=OPENING)))),
        "n_clicked": Count("pk", filter=known & Q(Exists(events.filter(kind=EventKind.CLICK)))),
    }


def _grouped(copies: QuerySet[Delivery], key: str, label: str, scope: Scope) -> list[PartSlice]:
    rows: Any = copies.values(part_key=F(key), part_label=F(label)).annotate(**_counts(scope))
    slices = [_slice(str(row["part_key"]), row["part_label"] or _("Unknown"), row) for row in rows]
    return sorted(slices, key=lambda part: (-part.sent, str(part.label)))


def _of_segment(segment: Segment, copies: QuerySet[Delivery], scope: Scope) -> PartSlice:
    numbers = _of_members(copies, segment).aggregate(**_counts(scope))
    return _slice(str(segment.pk), segment.name, numbers)


def _slice(key: str, label: Words, numbers: dict[str, int]) -> PartSlice:
    return PartSlice(
        key=key,
        label=label,
        sent=numbers["n_sent"],
        identified=numbers["n_identified"],
        opened=numbers["n_opened"],
        clicked=numbers["n_clicked"],
    )
