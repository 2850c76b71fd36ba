"""Questions about mailings and their copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from .models import WAITING_STATES, DeliveryState, Mailing, MailingState, SkipReason


@dataclass(frozen=True)
class Progress:
    """How far a mailing is; ``sent + failed + uncertain + skipped + waiting == audience``."""

    sent: int
    failed: int
    uncertain: int
    waiting: int
    skipped_by_reason: dict[SkipReason, int]

    @property
    def skipped(self) -> int:
        return sum(self.skipped_by_reason.values())

    @property
    def audience(self) -> int:
        return self.due + self.skipped

    @property
    def due(self) -> int:
        """Everybody who is not skipped."""
        return self.sent + self.failed + self.uncertain + self.waiting

    @property
    def settled_share(self) -> float:
        """Share of those due whose copy is settled, 0 to 1."""
        return 1 - self.waiting / self.due if self.due else 1.0


SPEED_WINDOW = timedelta(minutes=1)


def time_left(mailing: Mailing, progress: Progress) -> timedelta | None:
    """Return how long the rest takes at the speed of the last minute; None if nothing moves."""
    if mailing.state != MailingState.SENDING:
        return None
    recent = mailing.deliveries.filter(
        state=DeliveryState.SENT, settled_at__gt=timezone.now() - SPEED_WINDOW
    ).count()
    return SPEED_WINDOW * (progress.waiting / recent) if recent else None


def progress(mailing: Mailing) -> Progress:
    """Count the copies of *mailing* by state; one query over an index."""
    rows = mailing.deliveries.order_by().values_list("state", "skip_reason").annotate(n=Count("pk"))
    states: dict[str, int] = {}
    skipped: dict[SkipReason, int] = {}
    for state, reason, number in rows:
        if state == DeliveryState.SKIPPED:
            skipped[SkipReason(reason)] = number
        states[state] = states.get(state, 0) + number
    return Progress(
        sent=states.get(DeliveryState.SENT, 0),
        failed=states.get(DeliveryState.FAILED, 0),
        uncertain=states.get(DeliveryState.UNCERTAIN, 0),
        waiting=sum(states.get(state, 0) for state in WAITING_STATES),
        skipped_by_reason=skipped,
    )
