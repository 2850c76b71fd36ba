"""A list of activities as every screen shows it: lines, the ways on and back, and the export."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from ..activities.feed import Cursor, Page, page
from ..activities.filters import ActivityFilter
from ..activities.wording import Activity, described
from ..segments.queries import UnknownCondition
from ..tracking.models import Event
from .addresses import contact_url, email_url
from .permissions import EXPORT_CONTACTS, VIEW_ACTIVITIES, has

EXPORT = "email_activities_export"
"""Name of the address that exports activities, of whatever screen."""


class Line(NamedTuple):
    """An activity, and the screens about its contact and its e-mail."""

    activity: Activity
    contact_url: str
    email_url: str

    @classmethod
    def of(cls, activity: Activity) -> Line:
        event = activity.event
        return cls(
            activity,
            contact_url=contact_url(event.contact_id),
            email_url=email_url("activities", event.mailing.email) if event.mailing else "",
        )


@dataclass(frozen=True)
class Feed:
    """One page of activities, and where the others are."""

    address: str
    """The screen it belongs to, without query."""
    chosen: ActivityFilter
    page: Page = field(default_factory=lambda: Page([]))
    lines: list[Line] = field(default_factory=list)
    problem: str = ""
    """Why nothing can be told, if so."""
    is_first: bool = True

    @property
    def is_live(self) -> bool:
        """Whether new activities would appear on this page."""
        return self.is_first and not self.chosen.oldest_first

    @property
    def first_url(self) -> str:
        return self._url({})

    @property
    def previous_url(self) -> str:
        return self._url({"before": str(self.page.previous)}) if self.page.previous else ""

    @property
    def following_url(self) -> str:
        return self._url({"after": str(self.page.following)}) if self.page.following else ""

    def _url(self, cursor: dict[str, str]) -> str:
        return with_query(self.address, self.chosen.to_query(), urlencode(cursor))


def read(
    activities: QuerySet[Event],
    chosen: ActivityFilter,
    query: QueryDict,
    *,
    address: str,
    size: int,
) -> Feed:
    """Return the page of *activities* that *query* asks for, of those that were *chosen*."""
    after, before = _cursor(query.get("after", "")), _cursor(query.get("before", ""))
    try:
        narrowed = chosen.apply(activities)
    except UnknownCondition as error:
        return Feed(address, chosen, problem=str(error))
    shown = page(narrowed, size=size, after=after, before=before, oldest_first=chosen.oldest_first)
    return Feed(
        address,
        chosen,
        page=shown,
        lines=[Line.of(activity) for activity in described(shown.events)],
        is_first=shown.previous is None and not after,
    )


def export_urls(user: Any, chosen: ActivityFilter, **of: int) -> dict[str, str]:
    """Return the addresses of the exports by format; none for those who may not export."""
    if not (has(user, VIEW_ACTIVITIES) and has(user, EXPORT_CONTACTS)):
        return {}
    return {
        file_format: with_query(
            reverse(EXPORT), chosen.to_query(), urlencode(of | {"format": file_format})
        )
        for file_format in ("csv", "xlsx")
    }


def with_query(address: str, *queries: str) -> str:
    query = "&".join(filter(None, queries))
    return f"{address}?{query}" if query else address


def _cursor(text: str) -> Cursor | None:
    try:
        return Cursor.parse(text) if text else None
    except ValueError:
        return None
