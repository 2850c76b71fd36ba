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
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from ..conf import app_settings
from ..mailings.models import DUE_STATES, Delivery, DeliveryState, Mailing, MailingState
from .experiments import HELD_BACK, is_waiting_for_winner

HEARTBEAT = 4.0
"""Seconds after which a worker says again that it is alive, while it has copies to hand over."""


@dataclass
class Lease:
    """One worker's hold on some copies of one mailing."""

    mailing: Mailing
    owner: int = field(default_factory=lambda: secrets.randbelow(2**62) + 1)
    renewed_at: float = field(default_factory=time.monotonic)
    last_id: int = 0

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
        self._note_work()
        return list(self.claimed.values_list("pk", flat=True))

    def begin_hand_over(self, ids: Iterable[int]) -> set[int]:
        """Commit that these copies are about to be given away.

        Returns those that are: still ours, and the mailing neither paused nor cancelled.
        """
        wanted = set(ids)
        # Not "mailing__state": a join moves every condition into a subquery, which PostgreSQL
        # does not look at again for a row that somebody else has just taken.
        going_on = Mailing.objects.filter(pk=OuterRef("mailing_id"), state=MailingState.SENDING)
        begun = self.claimed.filter(Exists(going_on), pk__in=wanted).update(
            state=DeliveryState.HANDING_OVER, attempts=F("attempts") + 1, lease_until=_lease_end()
        )
        if begun == len(wanted):
            return wanted
        # Some were taken away; or they were begun before, and the answer was lost.
        return set(self.in_hand_over.filter(Exists(going_on)).values_list("pk", flat=True))

    def renew(self) -> None:
        """Keep what waits in our batch ours, if it is time to say so again."""
        if time.monotonic() > self.renewed_at + HEARTBEAT:
            self.claimed.update(lease_until=_lease_end())
            self._note_work()

    def _note_work(self) -> None:
        # In no transaction with copies: whoever cancels takes the mailing first, then its copies.
        Mailing.objects.filter(pk=self.mailing.pk).update(worked_at=timezone.now())
        self.renewed_at = time.monotonic()

    def release(self) -> None:
        """Let everything that is claimed but not handed over wait again."""
        self.claimed.update(state=DeliveryState.QUEUED, lease_owner=None)

    def _next_due(self, limit: int) -> list[int]:
        """Return the ids of the next copies, locked; from where this turn got to last time.

        One state at a time and onwards by id, so that the index leads straight to them, however
        many have been sent before.
        """
        ids: list[int] = []
        for state in DUE_STATES:
            ids += self._due(state, after=self.last_id)[: limit - len(ids)]
        if not ids and self.last_id:
            self.last_id = 0
            return self._next_due(limit)
        self.last_id = max(ids, default=0)
        return ids

    def _due(self, state: DeliveryState, *, after: int) -> QuerySet[Delivery, int]:
        due = due_copies(self.mailing).filter(state=state, pk__gt=after).order_by("pk")
        if rows_can_be_skipped():
            due = due.select_for_update(skip_locked=True, of=("self",))
        return due.values_list("pk", flat=True)

    def _owned(self, state: DeliveryState) -> QuerySet[Delivery]:
        return self.mailing.deliveries.filter(lease_owner=self.owner, state=state)


def due_copies(mailing: Mailing) -> QuerySet[Delivery]:
    """Copies that may be claimed now."""
    due = mailing.deliveries.filter(
        Q(not_before=None) | Q(not_before__lte=timezone.now()),
        state__in=DUE_STATES,
        mailing__state=MailingState.SENDING,
    )
    return due.exclude(variant=HELD_BACK) if is_waiting_for_winner(mailing) else due


def rows_can_be_skipped() -> bool:
    """Tell whether the database lets workers claim from one mailing without waiting in line."""
    return connections[router.db_for_write(Delivery)].features.has_select_for_update_skip_locked


def expire_leases() -> set[int]:
    """Take back the copies of workers that went silent; returns their mailings' ids."""
    now = timezone.now()
    expired = Delivery.objects.filter(
        lease_until__lt=now, state__in=[DeliveryState.CLAIMED, DeliveryState.HANDING_OVER]
    )
    mailings = set(expired.order_by().values_list("mailing", flat=True).distinct())
    if mailings:
        _take_back(expired, now)
    return mailings


def _take_back(expired: QuerySet[Delivery], now: datetime) -> None:
    expired.filter(state=DeliveryState.CLAIMED).update(state=DeliveryState.QUEUED, lease_owner=None)
    expired.filter(state=DeliveryState.HANDING_OVER).update(
        state=DeliveryState.UNCERTAIN,
        settled_at=now,
        error="The sending process stopped while the mail server was taking this copy.",
    )


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=app_settings.lease_seconds)
