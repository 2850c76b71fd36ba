"""What somebody wants to see of the activities: read from an address, told to the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import BigAutoField, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from ..contacts.models import Subscription
from ..segments.models import Segment
from ..segments.queries import contacts_in
from ..tracking.models import Event, EventKind, Verdict

SHOWN_VERDICTS = (Verdict.HUMAN, Verdict.SUSPECTED, Verdict.PROXY)
"""A machine is never an activity."""
SEARCH_FIELDS = ("contact__email", "contact__first_name", "contact__last_name")
LONGEST_SEARCH = 100
LONGEST_ADDRESS = 8_000
YEARS = range(1970, 3000)
NEWEST, OLDEST = "newest", "oldest"


class Unreadable(ValueError):
    """A part of an address that says nothing we understand."""


@dataclass(frozen=True, kw_only=True)
class ActivityFilter:
    """A choice of activities; an empty one chooses all, the newest first."""

    kinds: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    mailing: int | None = None
    link: str = ""
    """The address that a link or attachment leads to."""
    recipient_list: int | None = None
    """Contacts who are or were on this list."""
    segment: int | None = None
    """Contacts who are in this segment now."""
    since: date | None = None
    until: date | None = None
    """Both days included, in the time zone of whoever looks."""
    search: str = ""
    oldest_first: bool = False
    unreadable: tuple[str, ...] = ()
    """Parameters that were left out because they could not be understood."""

    @classmethod
    def from_query(cls, query: QueryDict) -> ActivityFilter:
        """Read what ``to_query`` wrote; what cannot be understood is left out and named."""
        wanted: dict[str, Any] = {}
        unreadable = []
        for parameter, (field, read, _write) in PARAMETERS.items():
            values = [value for value in query.getlist(parameter) if value]
            try:
                wanted |= {field: read(values)} if values else {}
            except ValueError:
                unreadable.append(parameter)
        return cls(**wanted, unreadable=tuple(unreadable))

    def to_query(self) -> str:
        """Return the query string that ``from_query`` reads; empty for the empty filter."""
        query = QueryDict(mutable=True)
        for parameter, (field, _read, write) in PARAMETERS.items():
            if value := getattr(self, field):
                query.setlist(parameter, write(value))
        return query.urlencode()

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return self._says_more_than("oldest_first", "unreadable")

    @property
    def has_details(self) -> bool:
        """Whether more than a kind was chosen."""
        return self._says_more_than("kinds", "unreadable")

    def _says_more_than(self, *aside: str) -> bool:
        return any(getattr(self, field.name) for field in fields(self) if field.name not in aside)

    def apply(self, activities: QuerySet[Event]) -> QuerySet[Event]:
        """Narrow *activities* down, in SQL. Raises UnknownCondition for a segment without rule."""
        for name, narrow in NARROWINGS.items():
            if value := getattr(self, name):
                activities = activities.filter(narrow(value))
        return activities


def _several(allowed: Sequence[str]) -> Callable[[list[str]], tuple[str, ...]]:
    def read(values: list[str]) -> tuple[str, ...]:
        if unknown := set(values) - set(allowed):
            raise Unreadable(*unknown)
        return tuple(choice for choice in allowed if choice in values)

    return read


def _text(length: int) -> Callable[[list[str]], str]:
    # PostgreSQL takes no NUL.
    return lambda values: values[-1].replace("\0", "").strip()[:length]


def _key(values: list[str]) -> int:
    key = int(values[-1])
    if not 0 < key <= BigAutoField.MAX_BIGINT:
        raise Unreadable(values[-1])
    return key


def _day(values: list[str]) -> date:
    day = date.fromisoformat(values[-1])
    if day.year not in YEARS:
        raise Unreadable(values[-1])
    return day


def _is_oldest_first(values: list[str]) -> bool:
    if values[-1] not in (NEWEST, OLDEST):
        raise Unreadable(values[-1])
    return values[-1] == OLDEST


def _one(value: object) -> list[str]:
    return [str(value)]


PARAMETERS: dict[str, tuple[str, Callable[[list[str]], Any], Callable[[Any], list[str]]]] = {
    "kind": ("kinds", _several(EventKind.values), list),
    "link": ("link", _text(LONGEST_ADDRESS), _one),
    "list": ("recipient_list", _key, _one),
    "segment": ("segment", _key, _one),
    "mailing": ("mailing", _key, _one),
    "from": ("since", _day, _one),
    "to": ("until", _day, _one),
    "verdict": ("verdicts", _several([verdict.value for verdict in SHOWN_VERDICTS]), list),
    "q": ("search", _text(LONGEST_SEARCH), _one),
    "sort": ("oldest_first", _is_oldest_first, lambda _value: [OLDEST]),
}
"""Per parameter of an address: the field it fills, how it is read and how it is written."""


def _on_list(recipient_list: int) -> Q:
    subscriptions = Subscription.objects.filter(recipient_list=recipient_list)
    return Q(contact__in=subscriptions.values("contact"))


def _in_segment(key: int) -> Q:
    segment = Segment.objects.filter(pk=key).first()
    return Q(contact__in=contacts_in(segment).values("pk") if segment else [])


def _says(search: str) -> Q:
    """Every word stands somewhere in the address or the name."""
    anywhere = [
        Q(*[(f"{field}__icontains", word) for field in SEARCH_FIELDS], _connector=Q.OR)
        for word in search.split()
    ]
    return Q(*anywhere)


def _beginning_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


NARROWINGS: dict[str, Callable[[Any], Q]] = {
    "kinds": lambda kinds: Q(kind__in=kinds),
    "verdicts": lambda verdicts: Q(verdict__in=verdicts),
    "mailing": lambda mailing: Q(mailing=mailing),
    "link": lambda address: Q(link__url=address),
    "recipient_list": _on_list,
    "segment": _in_segment,
    "since": lambda day: Q(at__gte=_beginning_of(day)),
    "until": lambda day: Q(at__lt=_beginning_of(day + timedelta(days=1))),
    "search": _says,
}
"""What each field of the filter means to the database."""
