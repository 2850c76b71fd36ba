"""The alarm clock of the mailboxes that bounces and replies come to."""

from __future__ import annotations

from typing import Any

from .. import queue

POLL_TASK = "wagtail_email_insights.feedback.tasks.poll_mailboxes"


def ensure_schedules(**_kwargs: Any) -> None:
    """Have the mailboxes read every five minutes, once ``migrate`` has made the queue's tables."""
    queue.ensure_schedule(POLL_TASK, minutes=5)
