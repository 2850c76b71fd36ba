"""What the queue calls. Thin: a task looks at the tables and does what is due there."""

from __future__ import annotations

from .. import queue
from ..conf import app_settings
from ..mailings.models import Mailing
from ..tracking import recording
from .actions import WORK_TASK
from .batches import work_on
from .reaper import run_due


def work(mailing_id: int) -> None:
    """Work on a mailing for a while; enqueues its own successor when there is more to do."""
    mailing = Mailing.objects.filter(pk=mailing_id).first()
    if mailing and work_on(mailing, seconds=app_settings.work_seconds):
        queue.enqueue(WORK_TASK, mailing_id)


def reap() -> None:
    """Restart whatever is due; called every minute by the cluster's scheduler."""
    recording.try_drain(batches=10)
    for mailing in run_due():
        queue.enqueue(WORK_TASK, mailing.pk)
