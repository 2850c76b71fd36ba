"""What the queue calls."""

from __future__ import annotations

from . import alerts, summaries, telling


def look_for_alerts() -> int:
    """Raise and close alerts, and mail the new ones; returns how many were raised."""
    raised = alerts.refresh()
    telling.tell()
    return len(raised)


def send_summaries() -> int:
    """Send the summaries whose time has come; returns how many were."""
    return summaries.send_due()
