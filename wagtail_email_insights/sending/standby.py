"""A worker that does not only wait to be called.

Tasks get lost: with the worker that ran them, with a flushed broker, with a rotated SECRET_KEY. And
django-q2 can fall silent for good: kill the idle worker that holds the lock of its queue, and none
of the others ever reads a task again. So each worker, while it has nothing to do, looks at the
tables every few seconds and takes up what nobody works on. Where the database lets it, it also
joins those who do: that is how several workers, on several hosts, share one mailing.
"""

from __future__ import annotations

import logging
import random
import threading
import time

from django.db import connections

from .. import queue
from ..conf import app_settings
from ..mailings.models import Mailing, MailingState
from .batches import work_on
from .leases import due_copies, rows_can_be_skipped
from .reaper import run_due

logger = logging.getLogger(__name__)

INTERVAL = 4.0
"""Seconds between two looks."""


def begin() -> None:
    """Stand by in this worker process until it ends."""
    threading.Thread(target=_stand_by, name="email_insights standby").start()


def look_around() -> None:
    """Work, as long as this worker is idle, on every mailing that has use for it."""
    for mailing in filter(_has_something_due, run_due()):
        logger.warning("Mailing %s had no worker: taken up without the queue", mailing.pk)
        _stay_with(mailing)
    for mailing in _mailings_to_join():
        _stay_with(mailing)


def _stand_by() -> None:
    # Not a daemon thread: those are cut off in the middle of a copy when the process ends.
    while threading.main_thread().is_alive():
        if queue.is_idle():
            _look_around_safely()
        _doze()


def _look_around_safely() -> None:
    try:
        look_around()
    except Exception:
        logger.exception("Could not look for mailings without a worker")
    finally:
        connections.close_all()


def _doze() -> None:
    """Wait for a varying time, so that workers do not all look at once, or until the end."""
    until = time.monotonic() + INTERVAL * random.uniform(0.5, 1.0)  # noqa: S311
    while threading.main_thread().is_alive() and time.monotonic() < until:
        time.sleep(0.2)


def _stay_with(mailing: Mailing) -> None:
    while queue.is_idle() and work_on(mailing, seconds=app_settings.work_seconds):
        pass


def _mailings_to_join() -> list[Mailing]:
    if not rows_can_be_skipped():
        return []
    # Trouble with the mail server does not get better by asking more often.
    sending = Mailing.objects.filter(state=MailingState.SENDING, sender_errors=0)
    return list(filter(_has_something_due, sending))


def _has_something_due(mailing: Mailing) -> bool:
    return mailing.state == MailingState.PREPARING or due_copies(mailing).exists()
