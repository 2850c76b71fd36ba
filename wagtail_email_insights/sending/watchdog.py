"""Is anybody working? Mailings that should move and do not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from ..mailings.models import DUE_STATES, Mailing, MailingState
from .experiments import HELD_BACK, is_waiting_for_winner
from .local_time import begins_at

PATIENCE = timedelta(minutes=3)
"""Longer than the reaper, a lease and a queue need together to bring a mailing back to life."""


@dataclass(frozen=True)
class Stall:
    """A mailing that has had something due *since* then and nobody has touched it."""

    mailing: Mailing
    since: datetime

    @property
    def age(self) -> timedelta:
        return timezone.now() - self.since


def stalls(*, patience: timedelta = PATIENCE) -> list[Stall]:
    """Return the mailings that somebody should have worked on for at least *patience*."""
    waiting_since = (_overdue_start, _overdue_work)
    mailings = Mailing.objects.filter(
        state__in=[MailingState.SCHEDULED, MailingState.PREPARING, MailingState.SENDING]
    ).select_related("email", "sender", "site")
    found = [
        Stall(mailing, since)
        for mailing in mailings
        for find in waiting_since
        if (since := find(mailing)) is not None
    ]
    return [stall for stall in found if stall.age >= patience]


def stall_of(mailing: Mailing) -> Stall | None:
    """Return the stall of one mailing, if it has come to one."""
    return next((stall for stall in stalls() if stall.mailing.pk == mailing.pk), None)


def _overdue_start(mailing: Mailing) -> datetime | None:
    if mailing.state != MailingState.SCHEDULED:
        return None
    begins = begins_at(mailing)
    return begins if begins <= timezone.now() else None


def _overdue_work(mailing: Mailing) -> datetime | None:
    if mailing.state == MailingState.SCHEDULED:
        return None
    if mailing.state == MailingState.SENDING and not _has_due_copies(mailing):
        return None
    return mailing.worked_at or mailing.started_at


def _has_due_copies(mailing: Mailing) -> bool:
    due = mailing.deliveries.filter(
        Q(not_before=None) | Q(not_before__lte=timezone.now()), state__in=DUE_STATES
    )
    if is_waiting_for_winner(mailing):
        due = due.exclude(variant=HELD_BACK)
    return due.exists()
