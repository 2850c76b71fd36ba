"""The newest mailings on Wagtail's homepage: how far they are, or how they were received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Case, IntegerField, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import cached_property
from django.views.generic import View
from wagtail.admin.ui.components import Component

from ..conf import app_settings
from ..mailings.models import OPEN_STATES, Mailing
from ..statistics import alerts
from ..statistics.figures import Figures, figures_for_groups
from ..statistics.models import Alert, Severity
from .overview import linked, overview_url
from .overview_table import statistics_url
from .permissions import VIEW_STATISTICS, RequiresPermission, has
from .side_panels import LIVE_MEDIA

NEWEST = 3
MOST_ALERTS = 5


@dataclass(frozen=True)
class Line:
    """One mailing in one line."""

    mailing: Mailing
    figures: Figures

    @property
    def url(self) -> str:
        return statistics_url(self.mailing)

    @property
    def is_under_way(self) -> bool:
        return self.mailing.state in OPEN_STATES


class EmailsHomePanel(Component):
    """Shows nothing until the first mailing has gone out: the menu is invitation enough.

    While one of those shown is under way, it goes on counting by itself.
    """

    name = "email_insights"
    template_name = "wagtail_email_insights/admin/overview/home_panel.html"
    order = 240

    @cached_property
    def lines(self) -> list[Line]:
        newest = list(Mailing.objects.started().select_related("email")[:NEWEST])
        each = figures_for_groups([[mailing] for mailing in newest]) if newest else []
        return [Line(*pair) for pair in zip(newest, each, strict=True)]

    def render_html(self, parent_context: Mapping[str, Any] | None = None) -> str:
        return super().render_html(parent_context) if self.lines else ""

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "lines": self.lines,
            "is_under_way": any(line.is_under_way for line in self.lines),
            "fragment_url": overview_url("home"),
            "refresh_seconds": app_settings.refresh_seconds,
            "alerts": linked(worst_first(alerts.open_alerts(parent_context["request"].user))),
            "overview_url": overview_url(),
        }

    @property
    def media(self) -> forms.Media:
        return LIVE_MEDIA


class HomePanelFragment(RequiresPermission, View):
    """What is inside the panel, fetched again and again while something is being sent."""

    required_permission = VIEW_STATISTICS
    template_name = "wagtail_email_insights/admin/overview/home_lines.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        context = EmailsHomePanel().get_context_data({"request": request})
        return render(request, self.template_name, context)


def worst_first(found: QuerySet[Alert]) -> QuerySet[Alert]:
    """Return the worst of the alerts, of equally bad ones the newest."""
    ranks = [When(severity=severity, then=rank) for rank, severity in enumerate(Severity)]
    rank = Case(*ranks, output_field=IntegerField())
    return found.order_by(rank.desc(), "-raised_at", "-pk")[:MOST_ALERTS]


def add_home_panel(request: HttpRequest, panels: list[Component]) -> None:
    """Put the panel on the homepage of those who may view statistics; a Wagtail hook."""
    if has(request.user, VIEW_STATISTICS):
        panels.append(EmailsHomePanel())
