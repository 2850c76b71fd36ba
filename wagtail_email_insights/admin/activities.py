"""Contact activities of one e-mail, as a full page and as the fragment its side panel shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from ..activities import queries
from ..activities.queries import Cursor
from ..activities.wording import icon_of, value_of
from ..conf import app_settings
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
        # PostgreSQL takes no NUL.
        search = query.get("q", "").replace("\0", "").strip()[:100]
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
            **self.get_coverage(is_wanted=after is None and not (kind or search)),
            fragment_url=email_url("activities_fragment", self.email),
            activities_url=email_url("activities", self.email),
            statistics_url=email_url("statistics", self.email)
            if has(self.request.user, VIEW_STATISTICS)
            else "",
            refresh_seconds=app_settings.refresh_seconds,
            **kwargs,
        )

    def get_coverage(self, *, is_wanted: bool) -> dict[str, Any]:
        """Return what stands below the newest activities: counted once, not at every refresh."""
        return {"coverage": queries.coverage_of(self.email)} if is_wanted else {}


class ActivitiesFragment(ActivitiesPage):
    """The feed alone, as it is fetched again and again."""

    template_name = "wagtail_email_insights/admin/activities/feed.html"

    def get_coverage(self, *, is_wanted: bool) -> dict[str, Any]:
        return {}

    @property
    def size(self) -> int:  # type: ignore[override]
        return IN_PANEL if "panel" in self.request.GET else ON_PAGE


class CoverageFragment(EmailPage):
    """The note below the feed in the side panel, fetched once when the panel is opened."""

    required_permission = VIEW_ACTIVITIES
    template_name = "wagtail_email_insights/admin/activities/coverage.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        coverage = queries.coverage_of(self.email)
        return self.render_to_response({"coverage": coverage, "is_final": True})


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
coverage = CoverageFragment.as_view()
