"""A worker makes events of hits once a second, whatever else it does."""

from __future__ import annotations

import threading
import time

from django.db import close_old_connections

from .draining import try_drain

INTERVAL = 1.0
"""Seconds between two looks."""


def begin() -> None:
    """Drain in this worker process until it ends."""
    threading.Thread(target=_drain_until_the_end, name="email_insights drain").start()


def _drain_until_the_end() -> None:
    # Not a daemon thread: those are cut off in the middle of a transaction when the process ends.
    while threading.main_thread().is_alive():
        try_drain()
        close_old_connections()
        time.sleep(INTERVAL)
