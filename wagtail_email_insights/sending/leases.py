"""Who may touch a copy: each step is one conditional UPDATE that only one worker can win.

A copy goes queued → claimed → handing_over → settled. A worker that dies leaves leases behind;
``expire_leases`` makes claimed copies wait again and declares those in hand-over uncertain,
because the mail server may have them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connections, router, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from ..conf import app_settings
from ..mailings.models import DUE_STATES, Delivery, DeliveryState, Mailing, MailingState
from .experiments import HELD_BACK, is_waiting_for_winner


@dataclass
class Lease:
    """One worker's hold on some copies of one mailing."""

    mailing: Mailing
    owner: int = field(default_factory=lambda: secrets.randbelow(2**62) + 1)
    renewed_at: float = field(default_factory=time.monotonic)

    @property
    def claimed(self) -> QuerySet[Delivery]:
        return self._owned(DeliveryState.CLAIMED)

    @property
    def in_hand_over(self) -> QuerySet[Delivery]:
        return self._owned(DeliveryState.HANDING_OVER)

    def claim(self, limit: int) -> list[int]:
        """Take up to *limit* due copies and return their ids."""
        with transaction.atomic():
            ids = self._next_due(limit)
            Delivery.objects.filter(pk__in=ids, state__in=DUE_STATES).update(
                state=DeliveryState.CLAIMED, lease_owner=self.owner, lease_until=_lease_end()
            )
            Mailing.objects.filter(pk=self.mailing.pk).update(worked_at=timezone.now())
        self.renewed_at = time.monotonic()
        return list(self.claimed.values_list("pk", flat=True))

    def begin_hand_over(self, ids: Iterable[int]) -> set[int]:
        """Commit that these copies are about to be given away.

        Returns those that are: still ours, and the mailing neither paused nor cancelled.
        """
        self._renew()
        wanted = set(ids)
        begun = self.claimed.filter(pk__in=wanted, mailing__state=MailingState.SENDING).update(
            state=DeliveryState.HANDING_OVER, attempts=F("attempts") + 1, lease_until=_lease_end()
        )
        if begun == len(wanted):
            return wanted
        return set(self.in_hand_over.values_list("pk", flat=True))

    def _renew(self) -> None:
        """Keep what waits in our batch ours; a fraction of the lease apart is often enough."""
        if time.monotonic() > self.renewed_at + app_settings.lease_seconds / 4:
            self.renewed_at = time.monotonic()
            self.claimed.update(lease_until=_lease_end())

    def release(self) -> None:
        """Let everything that is claimed but not handed over wait again."""
        self.claimed.update(state=DeliveryState.QUEUED, lease_owner=None)

    def _next_due(self, limit: int) -> list[int]:
        due = self.mailing.deliveries.filter(
            Q(not_before=None) | Q(not_before__lte=timezone.now()),
            state__in=DUE_STATES,
            mailing__state=MailingState.SENDING,
        ).order_by("pk")
        if is_waiting_for_winner(self.mailing):
            due = due.exclude(variant=HELD_BACK)
        if connections[router.db_for_write(Delivery)].features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True, of=("self",))
        return list(due.values_list("pk", flat=True)[:limit])

    def _owned(self, state: DeliveryState) -> QuerySet[Delivery]:
        return self.mailing.deliveries.filter(lease_owner=self.owner, state=state)


def expire_leases() -> None:
    """Take back the copies of workers that went silent."""
    now = timezone.now()
    expired = Delivery.objects.filter(lease_until__lt=now)
    expired.filter(state=DeliveryState.CLAIMED).update(state=DeliveryState.QUEUED, lease_owner=None)
    expired.filter(state=DeliveryState.HANDING_OVER).update(
        state=DeliveryState.UNCERTAIN,
        settled_at=now,
        error="The sending process stopped while the mail server was taking this copy.",
    )


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=app_settings.lease_seconds)
