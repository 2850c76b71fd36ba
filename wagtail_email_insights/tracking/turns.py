"""Giving way between many transactions in a row, where a database has one writer.

Whoever waits for SQLite's writer stands in no queue: it looks again every tenth of a second
(``sqliteDefaultBusyCallback`` in SQLite's ``main.c``) until its ``timeout`` is over, and then an
editor reads "database is locked". One transaction right after the other would shut all others out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, router

from .models import Event

LONGEST = 0.25
"""Seconds of work after which it is somebody else's turn."""

PAUSE = 0.12
"""Seconds in which everybody who waits looks once."""


class _State(threading.local):
    worked = 0.0
    ended = 0.0


_state = _State()


@contextmanager
def turn() -> Iterator[None]:
    """Run one of many transactions inside; before it, wait a moment if others had none for long.

    For workers and commands: nobody's page is to wait here.
    """
    if _has_one_writer():
        _give_way()
    began = time.monotonic()
    try:
        yield
    finally:
        _state.ended = time.monotonic()
        _state.worked += _state.ended - began


def _give_way() -> None:
    if time.monotonic() - _state.ended < PAUSE:
        if _state.worked <= LONGEST:
            return
        time.sleep(PAUSE)
    _state.worked = 0.0


def _has_one_writer() -> bool:
    """Tell whether others wait for us; inside a transaction they would wait on anyhow."""
    connection = connections[router.db_for_write(Event)]
    return connection.vendor == "sqlite" and not connection.in_atomic_block
