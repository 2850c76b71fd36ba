"""The alarm clock of recurring digests."""

from __future__ import annotations

from typing import Any

from .. import queue

DIGEST_TASK = "wagtail_email_insights.digests.tasks.run_due_digests"


def ensure_schedules(**_kwargs: Any) -> None:
    """Have due digests run every minute, once ``migrate`` has made django-q2's tables."""
    queue.ensure_schedule(DIGEST_TASK, minutes=1)
