"""Activities as rows of a table, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from ..tracking.models import Event
from .feed import in_order
from .filters import ActivityFilter
from .wording import Activity, described

AT_ONCE = 2_000
"""Rows described together; what is in memory does not grow beyond that."""

Row = list[str | datetime]


def header() -> list[str]:
    return [
        _("Time"),
        _("E-mail address"),
        _("First name"),
        _("Last name"),
        _("Activity"),
        _("Value"),
        _("Address"),
        _("Note"),
        _("Verdict"),
        _("E-mail"),
    ]


def rows(activities: QuerySet[Event], chosen: ActivityFilter) -> Iterator[Row]:
    """Yield those of *activities* that were *chosen*, in its order, a part at a time.

    Raises UnknownCondition, before the first row.
    """
    wanted = in_order(chosen.apply(activities), oldest_first=chosen.oldest_first)
    events = wanted.iterator(chunk_size=AT_ONCE)
    return (_row(activity) for part in _parts(events) for activity in described(part))


def _parts(events: Iterator[Event]) -> Iterator[list[Event]]:
    while part := list(islice(events, AT_ONCE)):
        yield part


def _row(activity: Activity) -> Row:
    event, value = activity.event, activity.value
    contact: Any = event.contact  # An activity has one.
    return [
        localtime(event.at),
        contact.email,
        contact.first_name,
        contact.last_name,
        event.get_kind_display(),
        value.text,
        value.url,
        value.note,
        activity.doubt,
        event.mailing.email.title if event.mailing else "",
    ]
