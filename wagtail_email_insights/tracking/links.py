"""From the number in a token to the destination, mostly without a query.

Each process keeps what it has looked up and asks again every few seconds, so that a correction
shows everywhere. While the database is away, what is known goes on leading there. One look-up
brings all links of the mailing: whoever answers one of them can answer the others too.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import NamedTuple

from django import db

from ..conf import app_settings
from .breaker import Breaker
from .models import TrackedLink
from .rewriting import is_redirectable

MOST = 50_000
"""Destinations kept per process; beyond that it starts anew."""


class Destination(NamedTuple):
    link_id: int
    mailing_id: int
    variant: int
    url: str
    document_id: int | None = None
    expires_at: datetime | None = None


class UnknownLink(LookupError):
    """A well-signed token for a link that is no longer stored, or that leads nowhere."""


class NotNow(Exception):
    """The database is away, and this process has not seen the link before."""


_COLUMNS = ("pk", "mailing_id", "variant", "url", "document_id", "expires_at")
_known: dict[int, tuple[Destination, float]] = {}
_database = Breaker(seconds=1.0)


def destination(link_id: int) -> Destination:
    """Return where the link leads; raises UnknownLink, and NotNow while the database is away."""
    known = _known.get(link_id)
    if known and (known[1] > time.monotonic() or _database.is_open):
        return known[0]
    try:
        found = _look_up(link_id)
    except db.Error as error:
        _database.trip()
        if known is None:
            raise NotNow from error
        return known[0]
    _database.reset()
    if found is None:
        raise UnknownLink(link_id)
    return found


def forget() -> None:
    """Drop every destination kept in this process; the others notice within seconds."""
    _known.clear()


def _look_up(link_id: int) -> Destination | None:
    """Return the link's destination and keep its siblings'; None where it leads nowhere.

    What is asked for is not read from what is kept: other threads may throw that away meanwhile.
    """
    if len(_known) > MOST:
        _known.clear()
    until = time.monotonic() + app_settings.link_cache_seconds
    siblings = TrackedLink.objects.filter(mailing__links=link_id)
    rows = [Destination(*row) for row in siblings.values_list(*_COLUMNS)]
    found = {row.link_id: row for row in rows if row.document_id or is_redirectable(row.url)}
    for row in found.values():
        _known[row.link_id] = (row, until)
    if link_id not in found:
        _known.pop(link_id, None)
    return found.get(link_id)
