"""What can be wrong with a genuine link: it was ours, but there is nothing left to do with it."""

from __future__ import annotations


class NothingStoredError(LookupError):
    """What the link was about has been erased since."""


class LinkTooOldError(ValueError):
    """The link was genuine, but its time is over."""
