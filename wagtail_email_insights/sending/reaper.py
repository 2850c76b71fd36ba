"""Finding what is due: schedules whose time has come, and work that lost its worker."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from ..mailings.models import Mailing, MailingState
from . import actions
from .leases import HEARTBEAT, expire_leases
from .local_time import begins_at
from .transitions import NotPossible, finish, move
from .winners import settle_due_tests

logger = logging.getLogger(__name__)

SILENCE = timedelta(seconds=3 * HEARTBEAT)
"""A mailing that nobody has worked on for this long has lost its worker (or waits)."""

BACK_OFF = timedelta(minutes=1)
"""The same for a mailing that the mail server has just given trouble."""


def run_due() -> list[Mailing]:
    """Put right what time or a crash left behind; returns the mailings that need a worker."""
    given_back = expire_leases()
    _start_scheduled()
    settle_due_tests()
    waiting = Mailing.objects.filter(
        _is_silent() | Q(pk__in=given_back),
        state__in=[MailingState.PREPARING, MailingState.SENDING],
    )
    return [mailing for mailing in waiting if not finish(mailing)]


def _is_silent() -> Q:
    now = timezone.now()
    in_trouble = Q(sender_errors__gt=0) | ~Q(state_reason="")
    return (
        Q(worked_at=None)
        | Q(~in_trouble, worked_at__lt=now - SILENCE)
        | Q(worked_at__lt=now - BACK_OFF)
    )


def _start_scheduled() -> None:
    now = timezone.now()
    # Somewhere on earth a day begins up to a day before it does here.
    soon = Mailing.objects.filter(
        state=MailingState.SCHEDULED, scheduled_at__lte=now + timedelta(days=2)
    )
    for mailing in soon.select_related("email", "site", "revision", "sender"):
        if begins_at(mailing) > now:
            continue
        try:
            actions.start(mailing)
        except actions.NotReady as error:
            _back_to_draft(mailing, str(error))
        except NotPossible:
            logger.info("Mailing %s was started or cancelled by somebody else", mailing.pk)


def _back_to_draft(mailing: Mailing, reason: str) -> None:
    """Give a scheduled mailing that cannot be sent back to its editor, with the reason."""
    logger.error("Scheduled mailing %s cannot be sent: %s", mailing.pk, reason)
    move(
        mailing,
        of=[MailingState.SCHEDULED],
        to=MailingState.DRAFT,
        state_reason=reason[:500],
        revision=None,
    )
