"""The newest mailings on Wagtail's homepage: how far they are, or how they were received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.functional import cached_property
from wagtail.admin.ui.components import Component

from ..mailings.models import OPEN_STATES, Mailing
from ..statistics import alerts
from ..statistics.figures import Figures, figures_for_groups
from .kpi_columns import ADMIN_CSS
from .overview import linked, overview_url
from .overview_table import statistics_url
from .permissions import VIEW_STATISTICS, has

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
    """Shows nothing until the first mailing has gone out: the menu is invitation enough."""

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
            "alerts": linked(alerts.open_alerts(parent_context["request"].user)[:MOST_ALERTS]),
            "overview_url": overview_url(),
        }

    @property
    def media(self) -> forms.Media:
        return ADMIN_CSS


def add_home_panel(request: HttpRequest, panels: list[Component]) -> None:
    """Put the panel on the homepage of those who may view statistics; a Wagtail hook."""
    if has(request.user, VIEW_STATISTICS):
        panels.append(EmailsHomePanel())
