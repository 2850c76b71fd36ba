"""The end of an A/B test: one variant is chosen, and the copies held back go out with it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from .. import queue
from ..mailings.models import DUE_STATES, Mailing, MailingState, TestMetric
from .actions import WORK_TASK
from .experiments import EVERYBODY, HELD_BACK, best_of, decides_at, results_of
from .transitions import NotPossible

logger = logging.getLogger(__name__)

UNDER_WAY = (MailingState.SENDING, MailingState.PAUSED)


@transaction.atomic
def declare_winner(
    mailing: Mailing,
    number: int,
    *,
    of: Sequence[MailingState] = UNDER_WAY,
    now: datetime | None = None,
) -> None:
    """Give everybody still held back variant *number*, and wake the queue.

    Raises NotPossible when there is no such variant, a winner is chosen already, or the mailing
    is in none of the states *of*. Of several who choose at the same moment one wins.
    """
    if not mailing.variants.filter(number=number).exists():
        raise NotPossible(f"mailing {mailing.pk} has no variant {number}")
    chosen = Mailing.objects.filter(pk=mailing.pk, winner=None, state__in=of).update(
        winner=number, winner_at=now or timezone.now()
    )
    mailing.refresh_from_db()
    if not chosen:
        raise NotPossible(f"mailing {mailing.pk} is {mailing.state}, its winner {mailing.winner}")
    mailing.deliveries.filter(variant=HELD_BACK, state__in=DUE_STATES).update(variant=number)
    queue.enqueue(WORK_TASK, mailing.pk)


def settle_due_tests(now: datetime | None = None) -> list[Mailing]:
    """Choose the winner of every test whose hours are over; returns the mailings that go on.

    Safe to call again and again, and by several at once. A mailing that is paused or cancelled
    chooses nothing.
    """
    now = now or timezone.now()
    running = Mailing.objects.filter(
        state=MailingState.SENDING, winner=None, test_share__lt=EVERYBODY, started_at__lte=now
    ).exclude(test_metric=TestMetric.MANUAL)
    return [mailing for mailing in running if _is_over(mailing, now) and _choose(mailing, now)]


def _is_over(mailing: Mailing, now: datetime) -> bool:
    end = decides_at(mailing)
    return end is not None and end <= now


def _choose(mailing: Mailing, now: datetime) -> bool:
    results = results_of([mailing]).get(mailing.pk)
    if not results:
        return False
    best = best_of(results, mailing.test_metric)
    try:
        declare_winner(mailing, best[0].number, of=[MailingState.SENDING], now=now)
    except NotPossible:
        logger.info("Mailing %s moved on while its winner was being chosen", mailing.pk)
        return False
    reason = "highest rate" if len(best) == 1 else "no variant was ahead alone, so the first"
    logger.info("Mailing %s goes on with variant %s: %s", mailing.pk, best[0].name, reason)
    return True
