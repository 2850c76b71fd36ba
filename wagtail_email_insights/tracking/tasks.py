"""What the queue calls."""

from __future__ import annotations

from . import sweeping, tallies
from .retention import forget_old


def tidy() -> None:
    """Sum up what was never summed up, delete what is too old; after ``migrate`` and daily."""
    sweeping.forget_networks()
    tallies.catch_up()
    forget_old()
