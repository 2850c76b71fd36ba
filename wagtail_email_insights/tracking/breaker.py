"""Not asking again at once what has just failed: a server that is away must not cost time."""

from __future__ import annotations

import time


class Breaker:
    """Remembers for a moment, in this process, that something is away."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._until = 0.0

    def trip(self) -> None:
        self._until = time.monotonic() + self._seconds

    def reset(self) -> None:
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it failed so recently that it is not worth a try."""
        return time.monotonic() < self._until
