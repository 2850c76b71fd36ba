"""One page of activities after another, by keyset: page 1,000 costs what page 1 costs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from django.db.models import BigAutoField, Q, QuerySet

from ..tracking.models import Event

LARGEST_KEY = BigAutoField.MAX_BIGINT


class Cursor(NamedTuple):
    """A place in the feed: an event that was shown, to go on from."""

    at: datetime
    pk: int

    @classmethod
    def of(cls, event: Event) -> Cursor:
        return cls(event.at, event.pk)

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Return the cursor that ``str`` wrote; raises ValueError for anything else."""
        written, _, number = text.partition("~")
        at, pk = _aware(written), int(number)
        if not 0 <= pk <= LARGEST_KEY:
            raise ValueError(f"{pk} is no key")
        return cls(at, pk)


class Page(NamedTuple):
    """Some events in the order asked for, and from where the pages before and after are found."""

    events: list[Event]
    previous: Cursor | None = None
    following: Cursor | None = None


def page(
    activities: QuerySet[Event],
    *,
    size: int,
    after: Cursor | None = None,
    before: Cursor | None = None,
    oldest_first: bool = False,
) -> Page:
    """Return up to *size* events that come after, or directly before, a cursor.

    New events shift nothing. Whoever comes back to the beginning gets a full first page.
    """
    if before:
        found = _take(activities, before, size, ascending=not oldest_first)
        if len(found) > size:
            shown = found[:size][::-1]
            return Page(shown, previous=Cursor.of(shown[0]), following=Cursor.of(shown[-1]))
        after = None
    found = _take(activities, after, size, ascending=oldest_first)
    shown = found[:size]
    return Page(
        shown,
        previous=Cursor.of(shown[0]) if after and shown else None,
        following=Cursor.of(shown[-1]) if len(found) > size else None,
    )


def in_order(activities: QuerySet[Event], *, oldest_first: bool = False) -> QuerySet[Event]:
    """Sort by time, and within one moment by key: the order of the indexes."""
    return activities.order_by("at", "pk") if oldest_first else activities.order_by("-at", "-pk")


def _take(
    activities: QuerySet[Event], cursor: Cursor | None, size: int, *, ascending: bool
) -> list[Event]:
    """Return the first events beyond *cursor*, one more than *size* where there are more."""
    beyond = activities.filter(_beyond(cursor, ascending)) if cursor else activities
    return list(in_order(beyond, oldest_first=ascending)[: size + 1])


def _beyond(cursor: Cursor, ascending: bool) -> Q:
    # The first part alone lets an index start in the right place; databases do not see it in an OR.
    if ascending:
        return Q(at__gte=cursor.at) & (Q(at__gt=cursor.at) | Q(pk__gt=cursor.pk))
    return Q(at__lte=cursor.at) & (Q(at__lt=cursor.at) | Q(pk__lt=cursor.pk))


def _aware(text: str) -> datetime:
    """Read a time in UTC; raises ValueError where the zone is missing or the year leaves range."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range") from error
