"""The alarm clock that keeps the tables in order."""

from __future__ import annotations

from typing import Any

from .. import queue

TIDY_TASK = "wagtail_email_insights.tracking.tasks.tidy"


def ensure_schedules(**_kwargs: Any) -> None:
    """Create the daily schedule after ``migrate``, if django-q2's tables are there."""
    queue.ensure_schedule(TIDY_TASK, minutes=24 * 60)
