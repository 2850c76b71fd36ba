"""Writing hits down: many readers at once, one commit for all that wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from .breaker import Breaker
from .recorders import FileRecorder, recorder

logger = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a reader waits for others' hits to be written before theirs goes to the spool."""


class _Waiting:
    """A hit on its way, and what its thread is told when it is called: safe, or to take the lead.

    Each thread sleeps on a lock of its own. In a queue for one lock they would have to wake one
    another in turn, and the next write would begin only after the last of them.
    """

    __slots__ = ("called", "is_safe", "leads", "line")

    def __init__(self, line: str) -> None:
        self.line = line
        self.is_safe = False
        self.leads = False
        self.called = threading.Lock()
        self.called.acquire()


class GroupWriter:
    """Lets one of the threads that wait write for all of them.

    A commit takes as long for twenty hits as for one; so while one thread waits for the database,
    the hits of all others gather, and go together in the next statement.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._is_led = False
        self._away = Breaker(seconds=1.0)
        self._spool = FileRecorder()

    def write(self, line: str) -> None:
        """Have *line* safe before returning; raises RecorderAway if nobody at all can take it."""
        mine = _Waiting(line)
        self._line_up(mine)
        if not mine.leads:
            self._wait(mine)
        if mine.leads:
            self._lead()
        if not mine.is_safe:
            self._spool.write([line])

    def _line_up(self, mine: _Waiting) -> None:
        with self._guard:
            self._waiting.append(mine)
            mine.leads = not self._is_led
            self._is_led = True

    def _wait(self, mine: _Waiting) -> None:
        """Return when *mine* was written, or has the lead, or has waited long enough."""
        if mine.called.acquire(timeout=PATIENCE) or self._withdraw(mine):
            return
        # Another thread is writing it this moment, or handing over: wait for how that ends.
        mine.called.acquire()

    def _withdraw(self, mine: _Waiting) -> bool:
        with self._guard:
            if mine.leads or mine not in self._waiting:
                return False
            self._waiting.remove(mine)
        return True

    def _lead(self) -> None:
        with self._guard:
            group, self._waiting = self._waiting, []
        try:
            self._store([item.line for item in group])
            for item in group:
                item.is_safe = True
        finally:
            self._hand_over()
            for item in group:
                item.called.release()

    def _hand_over(self) -> None:
        """Give the lead to who has waited longest, if anybody has."""
        with self._guard:
            heir = self._waiting[0] if self._waiting else None
            self._is_led = heir is not None
            if heir:
                heir.leads = True
                heir.called.release()

    def _store(self, lines: Sequence[str]) -> None:
        if not self._away.is_open and self._try(lines):
            return
        self._spool.write(lines)

    def _try(self, lines: Sequence[str]) -> bool:
        try:
            recorder().write(lines)
        except Exception:
            # Whatever it is, a recorder of the site's own too: no reader waits for its repair.
            logger.exception("The recorder takes no hits; they go to the spool")
            self._away.trip()
            return False
        self._away.reset()
        return True


writer = GroupWriter()
