"""Contact activities of one e-mail, as a full page and as the fragment its side panel shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from ..activities import queries
from ..activities.queries import Cursor
from ..activities.wording import icon_of, value_of
from ..conf import app_settings
from ..statistics.figures import figures_for_email
from ..tracking.models import Event, EventKind
from .addresses import email_url
from .contacts import contact_url
from .pages import EmailPage
from .permissions import VIEW_ACTIVITIES, VIEW_STATISTICS, has

ON_PAGE = 50
IN_PANEL = 20


class ActivitiesPage(EmailPage):
    required_permission = VIEW_ACTIVITIES
    page_title = _("Contact activities")
    header_icon = "group"
    template_name = "wagtail_email_insights/admin/activities/page.html"
    size = ON_PAGE

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.request.GET
        kind = query.get("kind", "") if query.get("kind") in EventKind.values else ""
        search = query.get("q", "").strip()[:100]
        after = _cursor(query.get("after", ""))
        activities = queries.matching(queries.of_email(self.email), kind=kind, search=search)
        rows, following = queries.page(activities, size=self.size, after=after)
        return super().get_context_data(
            rows=[_row(event) for event in rows],
            kinds=[(value, label) for value, label in EventKind.choices if value in KINDS],
            kind=kind,
            search=search,
            is_filtered=bool(kind or search),
            is_first_page=after is None,
            following=str(following) if following else "",
            has_been_sent=self.email.mailings.started().exists(),
            counts=figures_for_email(self.email).counts,
            fragment_url=email_url("activities_fragment", self.email),
            activities_url=email_url("activities", self.email),
            statistics_url=email_url("statistics", self.email)
            if has(self.request.user, VIEW_STATISTICS)
            else "",
            refresh_seconds=app_settings.refresh_seconds,
            **kwargs,
        )


class ActivitiesFragment(ActivitiesPage):
    template_name = "wagtail_email_insights/admin/activities/feed.html"

    @property
    def size(self) -> int:  # type: ignore[override]
        return IN_PANEL if "panel" in self.request.GET else ON_PAGE


KINDS = {EventKind.OPEN, EventKind.CLICK, EventKind.UNSUBSCRIBE}
"""The kinds that can happen to a mailing."""


def _row(event: Event) -> dict[str, Any]:
    return {
        "event": event,
        "contact": event.contact,
        "contact_url": contact_url(event.contact_id),
        "icon": icon_of(event),
        "value": value_of(event),
    }


def _cursor(text: str) -> Cursor | None:
    try:
        return Cursor.parse(text) if text else None
    except ValueError:
        return None


page = ActivitiesPage.as_view()
fragment = ActivitiesFragment.as_view()
