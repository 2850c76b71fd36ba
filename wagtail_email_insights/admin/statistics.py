"""The statistics of one e-mail, as a full page and as the fragment its side panel shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from ..conf import app_settings
from ..emails.models import Email
from ..mailings.models import OPEN_STATES
from ..statistics.figures import figures_for_all, links_for
from . import experiments
from .addresses import email_url, mailing_url
from .pages import EmailPage
from .permissions import VIEW_ACTIVITIES, VIEW_STATISTICS, has


class StatisticsPage(EmailPage):
    required_permission = VIEW_STATISTICS
    page_title = _("Statistics")
    header_icon = "email-statistics"
    template_name = "wagtail_email_insights/admin/statistics/page.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            fragment_url=email_url("statistics_fragment", self.email),
            refresh_seconds=app_settings.refresh_seconds,
            **statistics_of(self.email),
            may_view_activities=has(self.request.user, VIEW_ACTIVITIES),
            activities_url=email_url("activities", self.email),
            **kwargs,
        )


class StatisticsFragment(StatisticsPage):
    template_name = "wagtail_email_insights/admin/statistics/figures.html"


def statistics_of(email: Email) -> dict[str, Any]:
    """Return what the figures template shows; the same number of queries for every e-mail."""
    mailings = list(email.mailings.started())
    figures = figures_for_all(mailings)
    running = next((mailing for mailing in mailings if mailing.state in OPEN_STATES), None)
    return {
        "mailings": mailings,
        "figures": figures,
        "funnel": [figures["sent"], figures["opened"], figures["clicked"]],
        "links": links_for(mailings),
        "tests": experiments.tests_of(mailings),
        "running": running,
        "running_url": mailing_url("mailing", running) if running else "",
    }


page = StatisticsPage.as_view()
fragment = StatisticsFragment.as_view()
