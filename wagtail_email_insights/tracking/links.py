"""From the number in a token to the destination, without a query for links seen before."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from .models import TrackedLink
from .rewriting import is_redirectable


class Destination(NamedTuple):
    link_id: int
    mailing_id: int
    variant: int
    url: str


class UnknownLink(LookupError):
    """A well-signed token for a link that is no longer stored, or that leads nowhere."""


@lru_cache(maxsize=10_000)
def destination(link_id: int) -> Destination:
    """Return where the link leads; raises UnknownLink. Cached in the process."""
    rows = TrackedLink.objects.filter(pk=link_id).values_list("pk", "mailing_id", "variant", "url")
    row = rows.first()
    if row is None or not is_redirectable(row[-1]):
        raise UnknownLink(link_id)
    return Destination(*row)


def forget() -> None:
    """Drop every destination cached in this process, after links were corrected or deleted."""
    destination.cache_clear()
