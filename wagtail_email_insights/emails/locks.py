"""Who may declare an e-mail locked, apart from Wagtail's own lock.

Packages higher up (mailings) register a function here, so that this one needs not know them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wagtail.locks import BaseLock

if TYPE_CHECKING:
    from .models import Email

LockSource = Callable[["Email"], "BaseLock | None"]

_sources: list[LockSource] = []


def register(source: LockSource) -> LockSource:
    """Have *source* asked for a lock on every e-mail; usable as a decorator."""
    if source not in _sources:
        _sources.append(source)
    return source


def lock_for(email: Email) -> BaseLock | None:
    """Return the first lock that any registered source declares."""
    if email.pk is None:
        return None
    return next((lock for source in _sources if (lock := source(email))), None)
