"""Writing down what became of copies after the mail server was asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from ..conf import app_settings
from ..mail import HandOver, Outcome
from ..mailings.models import Delivery, DeliveryState, Mailing
from .leases import Lease
from .transitions import wake

RETRY_MINUTES = (1, 5, 15, 60)
"""How long a deferred copy waits before each next attempt; the last one repeats."""

Result = tuple[int, HandOver]
"""A delivery's id and what the mail server made of it."""


WAITS_AGAIN = (Outcome.DEFERRED, Outcome.SENDER_REFUSED, Outcome.UNREACHABLE)
"""Outcomes after which a copy is tried again."""


@transaction.atomic
def settle(lease: Lease, results: Sequence[Result], *, untried: bool = False) -> None:
    """Store each result; with *untried*, copies in hand-over without one wait again.

    To settle the same again changes nothing.
    """
    # A lease that ran out meanwhile may have declared some uncertain: now we know better.
    ours = lease.mailing.deliveries.filter(
        lease_owner=lease.owner, state__in=[DeliveryState.HANDING_OVER, DeliveryState.UNCERTAIN]
    )
    left = ours.exclude(pk__in=[pk for pk, _result in results])
    comes_back = any(result.outcome in WAITS_AGAIN for _pk, result in results)
    if comes_back or (untried and left.exists()):
        # Whoever cancels takes the mailing first, then its copies: so do we.
        Mailing.objects.locked().get(pk=lease.mailing.pk)
    if untried:
        comes_back = bool(_put_back(left)) or comes_back
    accepted = [pk for pk, result in results if result.outcome is Outcome.ACCEPTED]
    if accepted:
        _close(ours.filter(pk__in=accepted), DeliveryState.SENT)
    for pk, result in results:
        if result.outcome is not Outcome.ACCEPTED:
            _settle_one(ours.filter(pk=pk), result)
    if comes_back:
        wake(lease.mailing)


def _settle_one(delivery: QuerySet[Delivery], result: HandOver) -> None:
    match result.outcome:
        case Outcome.REFUSED:
            _close(delivery, DeliveryState.FAILED, result.detail)
        case Outcome.UNCERTAIN:
            _close(delivery, DeliveryState.UNCERTAIN, result.detail)
        case Outcome.DEFERRED:
            _defer(delivery, result.detail)
        case Outcome.SENDER_REFUSED | Outcome.UNREACHABLE:
            _put_back(delivery, result.detail)


def _close(deliveries: QuerySet[Delivery], state: DeliveryState, error: str = "") -> None:
    deliveries.update(state=state, settled_at=timezone.now(), lease_owner=None, error=error)


def _put_back(deliveries: QuerySet[Delivery], error: str = "") -> int:
    """Undo hand-overs that never reached the recipient's turn; they cost no attempt."""
    return deliveries.update(
        state=DeliveryState.QUEUED,
        attempts=F("attempts") - 1,
        lease_owner=None,
        settled_at=None,
        error=error,
    )


def _defer(delivery: QuerySet[Delivery], error: str) -> None:
    attempts = delivery.values_list("attempts", flat=True).first()
    if attempts is None:
        return
    if attempts >= app_settings.max_attempts:
        _close(delivery, DeliveryState.FAILED, error)
        return
    minutes = RETRY_MINUTES[min(attempts, len(RETRY_MINUTES)) - 1]
    delivery.update(
        state=DeliveryState.RETRY,
        not_before=timezone.now() + timedelta(minutes=minutes),
        lease_owner=None,
        settled_at=None,
        error=error,
    )
