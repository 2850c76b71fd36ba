"""Contact activities of one e-mail, as a full page and as the fragment its side panel shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from ..activities import queries
from ..activities.coverage import Coverage, coverage_of
from ..activities.filters import ActivityFilter
from ..conf import app_settings
from ..mailings.models import Mailing
from ..statistics import breakdowns
from ..tracking import retention
from ..tracking.models import EventKind
from .activity_feed import Feed, export_urls, read, with_query
from .activity_filters import chosen_by, left_out, offer_for
from .addresses import email_url, tracking_check_url
from .pages import EmailPage
from .permissions import VIEW_ACTIVITIES, VIEW_STATISTICS, has

ON_PAGE = 50
IN_PANEL = 20
FIGURES: dict[str, str] = {
    EventKind.CLICK: "clicked",
    EventKind.DOWNLOAD: "downloaded",
    EventKind.WEB_VIEW: "viewed",
    EventKind.UNSUBSCRIBE: "unsubscribed",
    EventKind.REPLY: "replied",
    EventKind.COMPLAINT: "complained",
}
"""Which figure counts the contacts of a kind. None does for opens: it takes in who clicked."""


class ActivitiesView(EmailPage):
    """What the page, the refreshed part of it and the note below have in common."""

    required_permission = VIEW_ACTIVITIES

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    @property
    def size(self) -> int:
        return ON_PAGE

    @cached_property
    def chosen(self) -> ActivityFilter:
        return chosen_by(self.request.user, self.request.GET)

    @cached_property
    def feed(self) -> Feed:
        return read(
            queries.of_email(self.email),
            self.chosen,
            self.request.GET,
            address=email_url("activities", self.email),
            size=self.size,
        )

    @property
    def coverage(self) -> dict[str, Any]:
        """Return what the note says that explains why the statistics show more."""
        return {
            "coverage": self._coverage(),
            "statistics_url": self._if_allowed(VIEW_STATISTICS, "statistics"),
            "tracking_check_url": tracking_check_url()
            if has(self.request.user, VIEW_STATISTICS)
            else "",
        }

    @cached_property
    def mailings(self) -> list[Mailing]:
        """Those that are looked at."""
        mailings = self.email.mailings.all()
        if self.chosen.mailing:
            mailings = mailings.filter(pk=self.chosen.mailing)
        return list(mailings)

    def _coverage(self) -> Coverage:
        return coverage_of([mailing.pk for mailing in self.mailings])

    @property
    def of_the_feed(self) -> dict[str, Any]:
        """Return what the feed says where it is empty."""
        return {
            "has_been_sent": self.email.mailings.started().exists(),
            "events_removed_at": retention.removed_at([mailing.pk for mailing in self.mailings]),
        }

    @property
    def people_url(self) -> str:
        """Return where the contacts in this feed can be made into something; empty for most.

        A figure names them when the feed is narrowed down to one kind, and perhaps one link.
        """
        chosen = self.chosen
        wider = replace(chosen, kinds=(), link="", mailing=None, oldest_first=False, unreadable=())
        kinds = chosen.kinds or ((EventKind.CLICK,) if chosen.link else ())
        if wider.narrows or len(kinds) != 1 or kinds[0] not in FIGURES:
            return ""
        return with_query(
            email_url("people", self.email, FIGURES[kinds[0]]),
            urlencode({"link": self._links(), "mailing": chosen.mailing or ""}, doseq=True),
        )

    def _links(self) -> list[int]:
        """Return one link to each destination with the address that was chosen."""
        if not self.chosen.link:
            return []
        slices = breakdowns.by_link(self.mailings)
        return [part.link_ids[0] for part in slices if part.url == self.chosen.link]

    def _if_allowed(self, permission: str, name: str) -> str:
        return email_url(name, self.email) if has(self.request.user, permission) else ""


class ActivitiesPage(ActivitiesView):
    page_title = _("Contact activities")
    header_icon = "group"
    template_name = "wagtail_email_insights/admin/activities/page.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.chosen.to_query()
        return super().get_context_data(
            feed=self.feed,
            chosen=self.chosen,
            left_out=left_out(self.chosen),
            offer=offer_for(self.email, self.request.user),
            fragment_url=with_query(email_url("activities_fragment", self.email), query),
            people_url=self.people_url,
            exports=export_urls(self.request.user, self.chosen, email=self.email.pk),
            refresh_seconds=app_settings.refresh_seconds,
            **self.of_the_feed,
            **self.coverage,
            **kwargs,
        )


class ActivitiesFragment(ActivitiesView):
    """The feed alone, as it is fetched again and again."""

    template_name = "wagtail_email_insights/admin/activities/feed.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(feed=self.feed, **self.of_the_feed, **kwargs)

    @property
    def size(self) -> int:
        return IN_PANEL if "panel" in self.request.GET else ON_PAGE


class CoverageFragment(ActivitiesView):
    """The note below the feed in the side panel, fetched once when the panel is opened."""

    template_name = "wagtail_email_insights/admin/activities/coverage.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(is_final=True, **self.coverage, **kwargs)


page = ActivitiesPage.as_view()
fragment = ActivitiesFragment.as_view()
coverage = CoverageFragment.as_view()
