"""The ways from one state of a mailing to another: conditional updates, told to listeners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from .. import signals
from ..mailings.models import (
    DUE_STATES,
    WAITING_STATES,
    DeliveryState,
    Mailing,
    MailingState,
    SkipReason,
)
from ..tracking import totals


class NotPossible(Exception):
    """The mailing is not in a state from which this can be done."""


@transaction.atomic
def move(mailing: Mailing, *, of: Sequence[MailingState], to: MailingState, **changes: Any) -> None:
    """Move *mailing* to state *to* if it is in one of the states *of*; raises NotPossible.

    The database decides, so of two people pressing a button one wins and the other is told.
    """
    before = mailing.state
    moved = Mailing.objects.filter(pk=mailing.pk, state__in=of).update(state=to, **changes)
    mailing.refresh_from_db()
    if not moved:
        raise NotPossible(f"a mailing that is {mailing.state} cannot become {to}")
    signals.mailing_state_changed.send(Mailing, mailing=mailing, before=before, after=to)


def pause(mailing: Mailing, *, reason: str = "") -> None:
    """Stop claiming copies; those in hand-over are finished first."""
    move(
        mailing,
        of=[MailingState.SENDING],
        to=MailingState.PAUSED,
        state_reason=reason[:500],
        sender_errors=0,
    )


@transaction.atomic
def finish(mailing: Mailing) -> bool:
    """Call *mailing* sent once every copy is settled; returns whether that is so now."""
    # Locked: between question and answer nobody may write its copies or send some again.
    sending = Mailing.objects.locked().filter(pk=mailing.pk, state=MailingState.SENDING)
    if not sending.first() or mailing.deliveries.filter(state__in=WAITING_STATES).exists():
        return False
    move(
        mailing,
        of=[MailingState.SENDING],
        to=MailingState.SENT,
        finished_at=timezone.now(),
        state_reason="",
    )
    return True


def wake(mailing: Mailing) -> None:
    """See to copies that came back after their mailing had ended without them.

    A worker may hear late, from the mail server or from the database, and the copies have counted
    as uncertain meanwhile. Of a mailing called sent they are sent after all; of a cancelled one
    they are skipped. To be called in the transaction that put them back.
    """
    state = Mailing.objects.locked().get(pk=mailing.pk).state
    if state == MailingState.CANCELLED:
        skip_waiting(mailing)
    waiting = mailing.deliveries.filter(state__in=WAITING_STATES)
    if state == MailingState.SENT and waiting.exists():
        move(mailing, of=[MailingState.SENT], to=MailingState.SENDING, finished_at=None)
    if state in (MailingState.CANCELLED, MailingState.SENT):
        totals.forget([mailing.pk])


def skip_waiting(mailing: Mailing) -> None:
    """Skip every copy nobody has claimed yet, because the mailing was cancelled."""
    mailing.deliveries.filter(state__in=[*DUE_STATES, DeliveryState.CLAIMED]).update(
        state=DeliveryState.SKIPPED,
        skip_reason=SkipReason.CANCELLED,
        settled_at=timezone.now(),
        lease_owner=None,
    )
