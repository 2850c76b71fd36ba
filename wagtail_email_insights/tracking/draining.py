"""Making events of hits, in batches, by one process at a time."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence

from django import db
from django.db import IntegrityError, connections, router, transaction
from django.utils import timezone

from . import spool
from .hits import Observation, UnreadableHit
from .models import DrainPosition, Event
from .recorders import Recorder, RecorderAway, sources
from .taking_in import take_in
from .turns import turn

logger = logging.getLogger(__name__)

LIMIT = 1000
"""Hits that become events in one transaction."""

FEW = 3
"""Batches that are over so soon that nobody has to be given way to: those of somebody's page."""

ALONE = "alone"
"""The row in DrainPosition that whoever drains locks."""


class InsideTransaction(RuntimeError):
    """Draining takes away what became events, so it must not be undone by somebody else."""


UNREADABLE = (OSError, RecorderAway)
"""One source cannot be read; the others can."""

TROUBLE = (db.Error, InsideTransaction, *UNREADABLE)

REFUSED = (IntegrityError, db.DataError, ValueError)
"""What databases and their drivers say to a value that they cannot hold."""

_in_this_process = threading.Lock()

Turn = Callable[[], contextlib.AbstractContextManager[None]]


def drain(*, batches: int | None = None) -> int:
    """Make events of all hits that wait, or of so many *batches*; returns how many hits it took.

    0 at once while somebody else drains. Raises InsideTransaction if that is where it is called,
    ``django.db.Error`` while the database refuses, OSError when the spool cannot be read, and
    RecorderAway when a recorder cannot, after all others.
    """
    with _alone_on_this_host() as alone:
        return _drain_all(batches) if alone else 0


def try_drain(*, batches: int | None = None) -> int:
    """Drain if that is possible now; trouble is logged, and what was not taken stays."""
    try:
        return drain(batches=batches)
    except TROUBLE:
        logger.exception("Could not make events of hits; they are kept")
        return 0


def catch_up(*, batches: int = FEW, milliseconds: int = 100) -> None:
    """Have what happened a moment ago be events now, for whoever is about to read them.

    Costs next to nothing when nothing waits; takes a few thousand hits at most, and waits for
    nobody: what a worker is busy with, or a busy database does not take, shows a moment later. On
    SQLite *milliseconds* are what it gives whoever writes to come to an end.
    """
    try:
        if is_pending():
            with _not_waiting_longer(milliseconds):
                drain(batches=batches)
    except TROUBLE:
        logger.debug("Could not catch up with hits", exc_info=True)


def is_pending() -> bool:
    """Tell, cheaply, whether hits wait; raises as ``drain`` does."""
    away: Exception | None = None
    for source in sources():
        try:
            if source.is_pending():
                return True
        except UNREADABLE as error:
            away = error
    if away:
        raise away
    return False


def _drain_all(batches: int | None) -> int:
    taken = 0
    takes_turns = batches is None or batches > FEW
    away: Exception | None = None
    for source in sources():
        try:
            taken += _drain(source, batches, turn if takes_turns else contextlib.nullcontext)
        except UNREADABLE as error:
            away = error
    if away:
        raise away
    return taken


def _drain(source: Recorder, batches: int | None, a_turn: Turn) -> int:
    taken = 0
    while batches is None or batches > 0:
        number, is_last = _drain_batch(source, a_turn)
        taken += number
        if is_last:
            break
        batches = None if batches is None else batches - 1
    return taken


def _drain_batch(source: Recorder, a_turn: Turn) -> tuple[int, bool]:
    if not source.is_pending():
        return 0, True
    aside: list[str | bytes] = []
    with a_turn(), _own_transaction():
        if not _alone_in_the_database():
            return 0, True
        batch = source.take(LIMIT)
        if batch.lines:
            _take_in_lines(batch.lines, aside)
        if batch.lines or batch.mark:
            source.done(batch)
    # Only now: what was rolled back comes again.
    for line in aside:
        spool.put_aside(line)
    source.clean_up(batch)
    return len(batch.lines), batch.is_last


def _take_in_lines(lines: Sequence[str | bytes], aside: list[str | bytes]) -> None:
    """Make events of *lines*; those that nobody can read, or store, go to *aside*."""
    hits = list(_readable(lines, aside))
    try:
        with transaction.atomic():
            take_in(hits)
    except REFUSED:
        logger.exception("A batch of hits was refused; each is taken by itself")
        for hit in hits:
            _take_in_alone(hit, aside)


def _take_in_alone(hit: Observation, aside: list[str | bytes]) -> None:
    """Take in one hit; one of a mailing deleted this moment is dropped."""
    try:
        with transaction.atomic():
            take_in([hit])
    except IntegrityError:
        logger.info("Dropped a hit on a mailing that no longer exists")
    except REFUSED:
        logger.exception("A hit was refused by the database; it is put aside")
        aside.append(hit.line())


def _readable(lines: Sequence[str | bytes], aside: list[str | bytes]) -> Iterator[Observation]:
    for line in lines:
        try:
            yield Observation.read(line)
        except UnreadableHit:
            logger.exception("A hit could not be read; it is put aside")
            aside.append(line)


@contextlib.contextmanager
def _alone_on_this_host() -> Iterator[bool]:
    # The file's lock is the process's: threads of one process would both get it.
    if not _in_this_process.acquire(blocking=False):
        yield False
        return
    try:
        with contextlib.ExitStack() as stack:
            yield _lock_spool(stack)
    finally:
        _in_this_process.release()


def _lock_spool(stack: contextlib.ExitStack) -> bool:
    """Hold the spool's lock as long as *stack*; where there is no spool, the database's will do."""
    try:
        return stack.enter_context(spool.draining_alone())
    except OSError:
        if not connections[router.db_for_write(DrainPosition)].features.has_select_for_update:
            raise
        return True


def _alone_in_the_database() -> bool:
    """Lock the one row until the transaction ends; False while another host holds it.

    Its first statement writes where rows cannot be locked, so that nobody else writes between what
    we read and what we write.
    """
    rows = DrainPosition.objects.filter(source=ALONE)
    if connections[router.db_for_write(DrainPosition)].features.has_select_for_update_skip_locked:
        if rows.select_for_update(skip_locked=True).exists():
            return True
        DrainPosition.objects.get_or_create(source=ALONE, defaults={"position": ""})
        return rows.select_for_update(skip_locked=True).exists()
    if not rows.update(position=str(timezone.now())):
        DrainPosition.objects.get_or_create(source=ALONE, defaults={"position": ""})
    return True


@contextlib.contextmanager
def _own_transaction() -> Iterator[None]:
    """Run what is inside in a transaction that is nobody else's; raises InsideTransaction."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(transaction.atomic(durable=True))
        except RuntimeError as error:
            raise InsideTransaction from error
        yield


@contextlib.contextmanager
def _not_waiting_longer(milliseconds: int) -> Iterator[None]:
    """On SQLite, be refused soon rather than wait for whoever writes."""
    connection = connections[router.db_for_write(Event)]
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        patience = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(patience)}")
