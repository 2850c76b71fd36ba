"""Not giving up at once on a database that is away, locked or restarting.

What the mail server said about a copy is known to the worker alone until it is written down. Were
it lost, nobody could tell any more whether the recipient has the mail.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connections, router

from ..mailings.models import Delivery

logger = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds. With the turn before it, and a last try that waits as long for a locked SQLite, less
than the queue gives a task."""

INTERVAL = 0.5

T = TypeVar("T")


class Patience:
    """So much in a row, however many things are insisted on."""

    def __init__(self) -> None:
        self._until: float | None = None

    def insist(self, store: Callable[[], T]) -> T:
        """Return what *store* returns, called until the database takes it; maybe more than once.

        Raises what it raised last when the patience is over, and at once inside a transaction,
        which the error has broken.
        """
        connection = connections[router.db_for_write(Delivery)]
        while True:
            try:
                stored = store()
            except (OperationalError, InterfaceError) as error:
                if connection.in_atomic_block or self._is_over():
                    raise
                logger.warning("The database does not take what was sent, trying again: %s", error)
            else:
                self._until = None
                return stored
            connection.close()
            time.sleep(INTERVAL)

    def _is_over(self) -> bool:
        now = time.monotonic()
        if self._until is None:
            self._until = now + PATIENCE
        return now > self._until
