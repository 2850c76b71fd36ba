"""The alarm clock: one schedule that has the reaper called every minute."""

from __future__ import annotations

from typing import Any

from .. import queue

REAP_TASK = "wagtail_email_insights.sending.tasks.reap"


def ensure_schedules(**_kwargs: Any) -> None:
    """Create the reaper's schedule after ``migrate``, if django-q2's tables are there."""
    queue.ensure_schedule(REAP_TASK, minutes=1)
