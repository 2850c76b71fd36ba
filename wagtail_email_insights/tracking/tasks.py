"""What the queue calls."""

from __future__ import annotations

from .retention import forget_old


def forget() -> None:
    """Delete events that are older than they may become; called once a day."""
    forget_old()
