"""The alarm clock of alerts and summaries."""

from __future__ import annotations

from typing import Any

from .. import queue

ALERT_TASK = "wagtail_email_insights.statistics.tasks.look_for_alerts"
SUMMARY_TASK = "wagtail_email_insights.statistics.tasks.send_summaries"


def ensure_schedules(**_kwargs: Any) -> None:
    """Have both looked for every few minutes, once ``migrate`` has made django-q2's tables."""
    queue.ensure_schedule(ALERT_TASK, minutes=5)
    queue.ensure_schedule(SUMMARY_TASK, minutes=10)
