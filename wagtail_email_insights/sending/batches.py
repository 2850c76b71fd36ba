"""Working through a mailing: claim, screen, hand over, settle.

No transaction is open while the mail server is spoken to, and nothing here is ever done twice:
``leases`` sees to that.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import F
from django.utils import timezone

from ..conf import app_settings
from ..mail import Connection, HandOver, Outcome, connect
from ..mailings.models import Mailing, MailingState
from .compiling import Compiled, Copy
from .leases import Lease
from .preparing import prepare
from .screening import screen
from .settling import Result, settle
from .transitions import finish, pause

logger = logging.getLogger(__name__)

SENDER_TROUBLE = (Outcome.SENDER_REFUSED, Outcome.UNREACHABLE)
"""Outcomes that say something about us or the server, nothing about the recipient."""


@dataclass(frozen=True)
class Turn:
    """One worker's turn at one mailing."""

    mailing: Mailing
    lease: Lease
    compiled: Compiled
    connection: Connection
    deadline: float

    @property
    def time_is_up(self) -> bool:
        return time.monotonic() >= self.deadline


def work_on(mailing: Mailing, *, seconds: float) -> bool:
    """Send copies of *mailing* for at most *seconds*; returns whether more could be sent now."""
    if mailing.state == MailingState.PREPARING:
        prepare(mailing)
    if mailing.state != MailingState.SENDING:
        return False
    with connect() as connection:
        more = _take_turn(
            Turn(
                mailing=mailing,
                lease=Lease(mailing),
                compiled=compile_mailing(mailing),
                connection=connection,
                deadline=time.monotonic() + seconds,
            )
        )
    finish(mailing)
    return more


def compile_mailing(mailing: Mailing) -> Compiled:
    """Return the message of *mailing*, ready to be filled in per copy."""
    return Compiled(mailing.contents.get(), mailing.links.all())


def _take_turn(turn: Turn) -> bool:
    shared_key = turn.compiled.content.anonymous_counting == "shared"
    while not turn.time_is_up:
        if not turn.lease.claim(app_settings.batch_size):
            return False
        copies = screen(turn.lease, shared_key=shared_key)
        for chunk in _chunks(copies, app_settings.chunk_size):
            if turn.time_is_up or not _send_chunk(turn, chunk):
                turn.lease.release()
                return turn.time_is_up
    return True


def _send_chunk(turn: Turn, copies: Sequence[Copy]) -> bool:
    """Hand a few copies over and settle them; returns whether to go on."""
    ours = turn.lease.begin_hand_over([copy.delivery_id for copy in copies])
    if not ours:
        return False
    results: list[Result] = []
    for copy in copies:
        if copy.delivery_id in ours:
            result = _hand_over(turn, copy)
            results.append((copy.delivery_id, result))
            if result.outcome in SENDER_TROUBLE:
                break
    settle(turn.lease, results)
    return _sender_is_well(turn.mailing, results)


def _hand_over(turn: Turn, copy: Copy) -> HandOver:
    try:
        message = turn.compiled.message(copy, now=timezone.now())
    except Exception as error:
        # One contact that no message can be built for fails alone.
        logger.exception("Could not build the copy for delivery %s", copy.delivery_id)
        return HandOver(Outcome.REFUSED, str(error)[:500])
    return turn.connection.hand_over(message)


def _sender_is_well(mailing: Mailing, results: Sequence[Result]) -> bool:
    """Count the sender's trouble in a row; with too much of it the mailing pauses and says why."""
    trouble = [result.detail for _pk, result in results if result.outcome in SENDER_TROUBLE]
    stored = Mailing.objects.filter(pk=mailing.pk)
    if not trouble:
        stored.exclude(sender_errors=0).update(sender_errors=0)
        return True
    logger.warning("Mailing %s: trouble with the mail server: %s", mailing.pk, trouble[-1])
    stored.update(sender_errors=F("sender_errors") + 1)
    mailing.refresh_from_db(fields=["sender_errors"])
    if mailing.sender_errors >= app_settings.max_sender_errors:
        pause(mailing, reason=trouble[-1])
    return False


def _chunks(copies: Sequence[Copy], size: int) -> Iterator[Sequence[Copy]]:
    for start in range(0, len(copies), size):
        yield copies[start : start + size]
