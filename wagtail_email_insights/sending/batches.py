"""Working through a mailing: claim, screen, hand over, settle.

No transaction is open while the mail server is spoken to, and nothing here is ever done twice:
``leases`` sees to that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ..conf import app_settings
from ..mail import Connection, HandOver, Outcome, connect
from ..mailings.models import Mailing, MailingState
from ..site_settings.models import Sender
from ..site_settings.queries import identity
from . import pace
from .compiling import Compiled, Copy
from .leases import Lease
from .patience import Patience
from .preparing import prepare
from .screening import screen
from .settling import Result, settle
from .transitions import NotPossible, finish, pause

logger = logging.getLogger(__name__)

SENDER_TROUBLE = (Outcome.SENDER_REFUSED, Outcome.UNREACHABLE)
"""Outcomes that say something about us or the server, nothing about the recipient."""

LONGEST_WAIT = 5.0
"""Seconds a worker waits for the sender's pace; for longer it ends its turn."""

_one_turn_at_a_time = threading.Lock()
"""However many threads a process has: a crash leaves one chunk of it in doubt."""


@dataclass(frozen=True)
class Turn:
    """One worker's turn at one mailing."""

    mailing: Mailing
    lease: Lease
    compiled: Mapping[int, Compiled]
    connection: Connection
    sender: Sender | None
    deadline: float

    @property
    def time_is_up(self) -> bool:
        return time.monotonic() >= self.deadline


def work_on(mailing: Mailing, *, seconds: float) -> bool:
    """Send copies of *mailing* for at most *seconds*; returns whether more could be sent now."""
    began = time.monotonic()
    # Whoever waits here may be a task, which the queue gives so much time and no more.
    if not _one_turn_at_a_time.acquire(timeout=seconds):
        return True
    try:
        return _work_on(mailing, max(0.0, seconds - (time.monotonic() - began)))
    finally:
        _one_turn_at_a_time.release()


def _work_on(mailing: Mailing, seconds: float) -> bool:
    if mailing.state == MailingState.PREPARING:
        _prepare(mailing)
    if mailing.state != MailingState.SENDING:
        return False
    who = identity(mailing.site, mailing.sender)
    with connect(who.mailer) as connection:
        more = _take_turn(
            Turn(
                mailing=mailing,
                lease=Lease(mailing),
                compiled=compile_mailing(mailing),
                connection=connection,
                sender=who.sender,
                deadline=time.monotonic() + seconds,
            )
        )
    finish(mailing)
    return more


def compile_mailing(mailing: Mailing) -> dict[int, Compiled]:
    """Return the messages of *mailing* by variant, ready to be filled in per copy."""
    links = list(mailing.links.all())
    return {
        content.variant: Compiled(
            content, [link for link in links if link.variant == content.variant]
        )
        for content in mailing.contents.all()
    }


def _prepare(mailing: Mailing) -> None:
    """Prepare, and let the editor see why when it does not work; the reaper tries again."""
    try:
        prepare(mailing)
    except Exception as error:
        logger.exception("Could not prepare mailing %s", mailing.pk)
        Mailing.objects.filter(pk=mailing.pk, state=MailingState.PREPARING).update(
            state_reason=f"{type(error).__name__}: {error}"[:500], worked_at=timezone.now()
        )


def _take_turn(turn: Turn) -> bool:
    counting = {compiled.content.anonymous_counting for compiled in turn.compiled.values()}
    while not turn.time_is_up:
        if not turn.lease.claim(app_settings.batch_size):
            return False
        if not _send_batch(turn, screen(turn.lease, shared_key="shared" in counting)):
            turn.lease.release()
            return turn.time_is_up
    return True


def _send_batch(turn: Turn, copies: Sequence[Copy]) -> bool:
    """Send the claimed copies chunk by chunk at the sender's pace; returns whether to go on.

    What became of one chunk is committed together with the next one's hand-over: one commit a
    chunk, and never more than one chunk in hand-over.
    """
    results: list[Result] = []
    patience = Patience()
    try:
        sent = _send_chunks(turn, copies, results, patience)
    finally:
        # Whatever went wrong: what is known is written down, and what nobody tried waits again.
        patience.insist(partial(settle, turn.lease, results, untried=True))
    return sent == len(copies)


def _send_chunks(
    turn: Turn, copies: Sequence[Copy], results: list[Result], patience: Patience
) -> int:
    """Send until something says stop; returns how many. What is unsettled stays in *results*."""
    sent = 0
    while sent < len(copies):
        if turn.sender:
            # Its pace may keep us waiting: nothing stays in hand-over meanwhile.
            patience.insist(partial(settle, turn.lease, results))
            results.clear()
        allowed = _allowed(turn, min(app_settings.chunk_size, len(copies) - sent))
        if not allowed or turn.time_is_up:
            break
        chunk = copies[sent : sent + allowed]
        turn.lease.renew()
        ours = patience.insist(partial(_begin, turn.lease, results, chunk))
        results.clear()
        _hand_over_chunk(turn, [copy for copy in chunk if copy.delivery_id in ours], results)
        if not ours or not _sender_is_well(turn.mailing, results):
            break
        sent += allowed
    return sent


@transaction.atomic
def _begin(lease: Lease, results: Sequence[Result], chunk: Sequence[Copy]) -> set[int]:
    """Settle the last chunk and begin the next; returns those of it that are still ours."""
    settle(lease, results)
    return lease.begin_hand_over([copy.delivery_id for copy in chunk])


def _allowed(turn: Turn, wanted: int) -> int:
    """Return how many may go now, waiting a moment for the sender's pace; 0 to end the turn."""
    if turn.sender is None:
        return wanted
    allowance = pace.take(turn.sender, wanted)
    while not allowance.number:
        if allowance.wait > LONGEST_WAIT or time.monotonic() + allowance.wait > turn.deadline:
            return 0
        time.sleep(allowance.wait)
        allowance = pace.take(turn.sender, wanted)
    return allowance.number


def _hand_over_chunk(turn: Turn, copies: Sequence[Copy], results: list[Result]) -> None:
    """Give each copy to the mail server; trouble of the sender's own leaves the rest untried."""
    for copy in copies:
        try:
            result = _hand_over(turn, copy)
        except BaseException as error:
            # Of this one alone nobody can tell.
            result = HandOver(Outcome.UNCERTAIN, f"{type(error).__name__}: {error}"[:500])
            results.append((copy.delivery_id, result))
            raise
        results.append((copy.delivery_id, result))
        if result.outcome in SENDER_TROUBLE:
            return


def _hand_over(turn: Turn, copy: Copy) -> HandOver:
    try:
        message = turn.compiled[copy.variant].message(copy, now=timezone.now())
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
        if mailing.sender_errors:
            stored.update(sender_errors=0)
            mailing.sender_errors = 0
        return True
    logger.warning("Mailing %s: trouble with the mail server: %s", mailing.pk, trouble[-1])
    stored.update(sender_errors=F("sender_errors") + 1)
    mailing.refresh_from_db(fields=["sender_errors"])
    if mailing.sender_errors >= app_settings.max_sender_errors:
        # Somebody else may have paused or cancelled it by now.
        with suppress(NotPossible):
            pause(mailing, reason=trouble[-1])
    return False
