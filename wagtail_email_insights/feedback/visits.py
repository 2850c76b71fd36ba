"""When each mailbox was last looked into, and whether it could be read.

Kept in Django's cache, for a screen to tell: where each process has a cache of its own, and after
the cache was emptied, nobody knows.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import salted_hmac

logger = logging.getLogger(__name__)

PREFIX = "wagtail_email_insights:mailbox"
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Visit:
    """One look into a mailbox; without *success* it could not be reached or read."""

    at: datetime
    success: bool


def note(mailbox: Mapping[str, Any], *, success: bool) -> None:
    """Remember that *mailbox*, an entry of the setting, was looked into just now; never raises."""
    value = (timezone.now().timestamp(), success)
    try:
        cache.set(_key(mailbox), value, int(KEPT.total_seconds()))
    except Exception:
        # Each cache raises its own; one that is away keeps no mailbox from being read.
        logger.exception("The cache does not take when a mailbox was looked into")


def last(mailbox: Mapping[str, Any]) -> Visit | None:
    """Return the last look into *mailbox*, if anybody knows of one; never raises."""
    try:
        value = cache.get(_key(mailbox))
    except Exception:
        logger.exception("The cache does not tell when a mailbox was looked into")
        return None
    if value is None:
        return None
    at, success = value
    return Visit(datetime.fromtimestamp(at, UTC), success)


def _key(mailbox: Mapping[str, Any]) -> str:
    # Of all of it: after a correction, what was seen before says nothing any more.
    entry = json.dumps(dict(mailbox), sort_keys=True, default=str)
    return f"{PREFIX}:{salted_hmac(PREFIX, entry, algorithm='sha256').hexdigest()}"
