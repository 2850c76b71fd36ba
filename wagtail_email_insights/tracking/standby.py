"""A worker makes events of hits once a second, whatever else it does."""

from __future__ import annotations

import logging
import threading
import time

from django.db import close_old_connections

from . import sweeping
from .draining import try_drain

logger = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two looks when there was nothing to do."""

BATCHES = 10
"""Per source and round, so that a full one keeps neither the others nor the end waiting."""

ROUNDS_UNTIL_FORGETTING = 60


def begin() -> None:
    """Drain in this worker process until it ends."""
    threading.Thread(target=_drain_until_the_end, name="email_insights drain").start()


def _drain_until_the_end() -> None:
    rounds = 0
    # Not a daemon thread: those are cut off in the middle of a transaction when the process ends.
    while threading.main_thread().is_alive():
        taken = _round(forgets=rounds % ROUNDS_UNTIL_FORGETTING == 0)
        rounds += 1
        if not taken:
            time.sleep(INTERVAL)


def _round(*, forgets: bool) -> int:
    """Drain some; returns how many hits it took. Nothing ends the thread before its process."""
    try:
        if forgets:
            sweeping.forget_networks()
        return try_drain(batches=BATCHES)
    except Exception:
        logger.exception("Could not make events of hits; trying again")
        return 0
    finally:
        close_old_connections()
