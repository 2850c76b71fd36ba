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

PATIENCE = 30.0
"""Seconds; with the turn before it less than the queue gives a task."""

INTERVAL = 0.5

T = TypeVar("T")


def insist(store: Callable[[], T]) -> T:
    """Return what *store* returns, called until the database takes it; it may be called twice.

    Raises what it raised last when the patience is over, and at once inside a transaction, which
    the error has broken.
    """
    connection = connections[router.db_for_write(Delivery)]
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return store()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            logger.warning("The database does not take what was sent, trying again: %s", error)
        connection.close()
        time.sleep(INTERVAL)
