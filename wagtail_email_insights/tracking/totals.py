"""Sums over the copies of a mailing, and the lock under which its sums are changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from ..mailings.models import (
    OPEN_STATES,
    WAITING_STATES,
    Delivery,
    DeliveryState,
    Mailing,
    MailingContent,
)
from .folding import SEEN
from .models import Event, EventKind, MailingTotals, Verdict

BOUNCES = frozenset({EventKind.HARD_BOUNCE, EventKind.SOFT_BOUNCE})

LATECOMERS = timedelta(minutes=10)
"""A worker that was held up may still settle copies this long after its mailing was finished."""

COUNTED = (
    "audience",
    "attempted",
    "sent",
    "failed",
    "uncertain",
    "identified",
    "told_apart",
    "hard_bounced",
    "soft_bounced",
    "told_apart_bounced",
)


FROM_EVENTS = ("hard_bounced", "soft_bounced", "told_apart_bounced")
"""What cannot be counted again once retention has deleted the events."""


def totals_of(mailing_ids: Collection[int]) -> dict[int, MailingTotals]:
    """Return the sums over the copies of each mailing; all of them hold now.

    One query where the stored ones hold; two more for all others together, which are those under
    way and those of which something changed.
    """
    rows = {row.pk: row for row in MailingTotals.objects.filter(pk__in=mailing_ids, is_fresh=True)}
    missing = [pk for pk in mailing_ids if pk not in rows]
    return rows | (_counted_anew(missing) if missing else {})


def forget(mailing_ids: Iterable[int]) -> None:
    """Have the copies of these mailings counted anew by whoever asks next.

    To be called in the transaction that changes copies or adds bounces.
    """
    # One by one in one order: so that two who forget the same ones do not wait for each other.
    for pk in sorted(set(mailing_ids)):
        row = MailingTotals.objects.filter(pk=pk)
        row.update(is_fresh=False, revision=F("revision") + 1)


def count_copies(mailing_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Count copies and what came back of them, without looking at what is stored; two queries."""
    counted: dict[int, dict[str, int]] = {
        pk: dict.fromkeys((*COUNTED, "waiting"), 0) for pk in mailing_ids
    }
    for query in (_count_deliveries(mailing_ids), _count_bounces(mailing_ids)):
        for row in query:
            counts = dict(row)
            counted[counts.pop("mailing")] |= counts
    return counted


def bounced_for_good() -> Q:
    """Return the condition on a sent copy that it came back for good.

    Whatever a mail server said, a copy that a reader has opened has arrived.
    """
    return _has(kind=EventKind.HARD_BOUNCE) & ~_was_read()


def bounced_for_now() -> Q:
    """Return the condition on a sent copy that it came back, not for good, and never arrived."""
    arrived = _has(kind=EventKind.DELIVERED) | _has(kind=EventKind.HARD_BOUNCE) | _was_read()
    return _has(kind=EventKind.SOFT_BOUNCE) & ~arrived


def _was_read() -> Q:
    return _has(~Q(verdict=Verdict.MACHINE), kind__in=SEEN)


def _has(*conditions: Q, **fields: Any) -> Q:
    events = Event.objects.filter(mailing=OuterRef("mailing"), copy=OuterRef("pk"))
    return Q(Exists(events.filter(*conditions, **fields)))


def _counted_anew(mailing_ids: Collection[int]) -> dict[int, MailingTotals]:
    """Count, and keep what will not change by itself any more."""
    states = {
        mailing.pk: mailing
        for mailing in Mailing.objects.filter(pk__in=mailing_ids)
        .select_related("totals")
        .order_by("pk")
    }
    rows = {}
    for pk, counts in count_copies(list(states)).items():
        stored = getattr(states[pk], "totals", None)
        waiting = counts.pop("waiting")
        if stored and stored.events_removed_at:
            counts |= {name: getattr(stored, name) for name in FROM_EVENTS}
        row = MailingTotals(pk=pk, revision=stored.revision if stored else 0, **counts)
        if not waiting and _is_settled(states[pk]):
            _keep(row, counts)
        rows[pk] = row
    return rows


def _keep(row: MailingTotals, counts: dict[str, int]) -> None:
    # By revision: if somebody changed a copy since we counted, ours is old news.
    MailingTotals.objects.bulk_create([MailingTotals(pk=row.pk)], ignore_conflicts=True)
    seen = MailingTotals.objects.filter(pk=row.pk, revision=row.revision)
    seen.update(is_fresh=True, **counts)


def _is_settled(mailing: Mailing) -> bool:
    if mailing.state in OPEN_STATES:
        return False
    ended = mailing.finished_at or mailing.worked_at or mailing.created_at
    return ended < timezone.now() - LATECOMERS


def _count_deliveries(mailing_ids: Collection[int]) -> Iterable[Mapping[str, Any]]:
    def of(*states: DeliveryState) -> Q:
        return Q(state__in=states)

    sent = of(DeliveryState.SENT)
    return (
        Delivery.objects.filter(mailing__in=mailing_ids)
        .order_by()
        .values("mailing")
        .annotate(
            audience=Count("pk"),
            attempted=Count("pk", filter=~of(DeliveryState.SKIPPED)),
            sent=Count("pk", filter=sent),
            failed=Count("pk", filter=of(DeliveryState.FAILED)),
            uncertain=Count("pk", filter=of(DeliveryState.UNCERTAIN)),
            waiting=Count("pk", filter=of(*WAITING_STATES)),
            told_apart=Count("pk", filter=sent & _told_apart(mailing_ids)),
            # Last: from here on the name means the number, no longer the column.
            identified=Count("pk", filter=sent & Q(identified=True)),
        )
    )


def _told_apart(mailing_ids: Collection[int]) -> Q:
    """Return the copies whose opens and clicks can be counted once per copy.

    All of them where every copy has a number of its own; where anonymous copies share one or are
    not counted, only those that went out identified. Their number does not fall when somebody takes
    the consent back: what that copy showed goes on being counted, too.
    """
    per_copy = MailingContent.objects.filter(
        mailing__in=mailing_ids, anonymous_counting="per_copy"
    ).values("mailing")
    return Q(identified=True) | Q(withdrawn=True) | Q(mailing__in=per_copy)


def _count_bounces(mailing_ids: Collection[int]) -> Iterable[Mapping[str, Any]]:
    """Count sent copies that came back, each once, the worse reason first."""
    bounces = Event.objects.filter(mailing__in=mailing_ids, kind__in=BOUNCES)
    came_back = Delivery.objects.filter(
        pk__in=bounces.values("copy"),
        mailing__in=mailing_ids,
        state=DeliveryState.SENT,
    ).annotate(hard=bounced_for_good(), soft=bounced_for_now())
    returned = Q(hard=True) | Q(soft=True)
    return (
        came_back.order_by()
        .values("mailing")
        .annotate(
            hard_bounced=Count("pk", filter=Q(hard=True)),
            soft_bounced=Count("pk", filter=Q(soft=True)),
            told_apart_bounced=Count("pk", filter=returned & _told_apart(mailing_ids)),
        )
    )
