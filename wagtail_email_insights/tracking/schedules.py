"""The alarm clock of retention."""

from __future__ import annotations

from typing import Any

from .. import queue

FORGET_TASK = "wagtail_email_insights.tracking.tasks.forget"


def ensure_schedules(**_kwargs: Any) -> None:
    """Create the daily schedule after ``migrate``, if django-q2's tables are there."""
    queue.ensure_schedule(FORGET_TASK, minutes=24 * 60)
