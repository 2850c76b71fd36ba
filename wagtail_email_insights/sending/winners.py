"""The end of an A/B test: one variant is chosen, and the copies held back go out with it."""

from __future__ import annotations

import logging
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
def declare_winner(mailing: Mailing, number: int, *, now: datetime | None = None) -> None:
    """Give everybody still held back variant *number*, and wake the queue.

    Raises NotPossible when there is no such variant, a winner is chosen already, or the mailing
    is not under way. Of several who choose at the same moment one wins.
    """
    if not mailing.variants.filter(number=number).exists():
        raise NotPossible(f"mailing {mailing.pk} has no variant {number}")
    chosen = Mailing.objects.filter(pk=mailing.pk, winner=None, state__in=UNDER_WAY).update(
        winner=number, winner_at=now or timezone.now()
    )
    mailing.refresh_from_db()
    if not chosen:
        raise NotPossible(f"mailing {mailing.pk} is {mailing.state}, its winner {mailing.winner}")
    mailing.deliveries.filter(variant=HELD_BACK, state__in=DUE_STATES).update(variant=number)
    queue.enqueue(WORK_TASK, mailing.pk)


def settle_due_tests(now: datetime | None = None) -> list[Mailing]:
    """Choose the winner of every test whose hours are over; returns the mailings that go on.

    Called again and again. A mailing that is paused or cancelled chooses nothing.
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
        with transaction.atomic():
            still_sending = Mailing.objects.select_for_update().filter(
                pk=mailing.pk, state=MailingState.SENDING
            )
            if not still_sending.exists():
                return False
            declare_winner(mailing, best[0].number, now=now)
    except NotPossible:
        logger.info("The winner of mailing %s was chosen by somebody else", mailing.pk)
        return False
    reason = "the highest rate" if len(best) == 1 else "no variant was ahead alone"
    logger.info("Mailing %s goes on with variant %s: %s", mailing.pk, best[0].name, reason)
    return True
