"""The overview: what was sent in some days, and how it was received, over all e-mails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import Button

from ..conf import app_settings
from ..emails.models import Email
from ..mailings.models import OPEN_STATES, Mailing
from ..statistics import alerts, diagnostics
from ..statistics.exports import overview_sheet
from ..statistics.models import Alert
from ..statistics.overview import RIPE, Overview, OverviewRow, overview
from ..tracking.models import Scope
from .addresses import email_url
from .overview_form import OverviewForm
from .overview_table import OverviewTable, statistics_url
from .overview_tiles import tiles_of
from .permissions import SEND, VIEW_STATISTICS, RequiresPermission, has
from .side_panels import LIVE_MEDIA
from .spreadsheet_responses import FORMATS
from .statistics_selection import SCOPES, SCOPES_IN_WORDS
from .trend import charts_of

NAME = "email_overview"
TITLE = _("Overview")
EXPORTS = {"csv": _("Download CSV"), "xlsx": _("Download XLSX")}


def overview_url(name: str = "index") -> str:
    """Return the address of the overview, or of the screen *name* beside it."""
    return reverse(f"{NAME}:{name}")


class OverviewScreen(RequiresPermission, WagtailAdminTemplateMixin, View):
    """What the overview and the screens below it share."""

    required_permission = VIEW_STATISTICS
    header_icon = "email-statistics"
    _show_breadcrumbs = True
    request: HttpRequest

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.render_to_response(self.get_context_data())

    @cached_property
    def scope(self) -> Scope:
        return SCOPES.get(self.request.GET.get("scope", ""), Scope.READERS)

    def url(self, name: str = "index", **changes: str) -> str:
        """Return the address of the screen *name* for the same choice, some of it changed."""
        query = self.request.GET.copy()
        for key, value in changes.items():
            query[key] = value
        return f"{overview_url(name)}?{query.urlencode()}"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.get_page_title()}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            media=LIVE_MEDIA,
            overview_url=overview_url(),
            scope_name=self.scope.name.lower(),
            **kwargs,
        )


class OverviewPage(OverviewScreen):
    page_title = TITLE
    template_name = "wagtail_email_insights/admin/overview/page.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        file_format = request.GET.get("export")
        if file_format in FORMATS:
            sheet = overview_sheet(self.overview)
            return FORMATS[file_format]("overview", sheet.header, sheet.rows)
        return super().get(request)

    @cached_property
    def form(self) -> OverviewForm:
        return OverviewForm(self.request.GET)

    @cached_property
    def overview(self) -> Overview:
        return overview(self.form.filters, self.scope)

    @cached_property
    def table(self) -> OverviewTable:
        return OverviewTable(self.overview.rows, self.request.GET, overview_url(), self.scope)

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        if not self.overview.rows:
            return []
        return [
            Button(label, url=self.url(export=file_format), icon_name="download", priority=90)
            for file_format, label in EXPORTS.items()
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = self.overview
        return super().get_context_data(
            form=self.form,
            overview=found,
            tiles=tiles_of(found),
            charts=charts_of(found.trend),
            table=self.table,
            floor=app_settings.ranking_floor,
            ripe_hours=RIPE // timedelta(hours=1),
            under_way=self._with_urls(
                row for row in found.rows if row.mailing.state in OPEN_STATES
            ),
            best=self._with_urls(found.best),
            worst=self._with_urls(found.worst),
            scopes=self._scopes(),
            scope_in_words=SCOPES_IN_WORDS[self.scope],
            fragment_url=self.url("fragment"),
            refresh_seconds=app_settings.refresh_seconds,
            before_until=found.filters.start - timedelta(days=1),
            is_first=is_first_of_all(found.rows),
            alerts=linked(alerts.open_alerts(self.request.user).exclude(email=None)),
            findings=diagnostics.overall_findings(),
            compare_url=overview_url("compare"),
            **({} if found.rows else self._when_empty()),
            **kwargs,
        )

    def _when_empty(self) -> dict[str, Any]:
        return {
            "is_unused": not Mailing.objects.started().exists(),
            "emails_url": reverse(Email.snippet_viewset.get_url_name("list")),
            "may_send": has(self.request.user, SEND),
        }

    def _scopes(self) -> list[tuple[str | Promise, str, bool]]:
        return [
            (scope.label, self.url(scope=name), scope == self.scope)
            for name, scope in SCOPES.items()
        ]

    def _with_urls(self, rows: Iterable[OverviewRow]) -> list[tuple[OverviewRow, str]]:
        """Put beside each mailing where its own statistics are."""
        return [(row, statistics_url(row.mailing, self.scope)) for row in rows]


class OverviewFragment(OverviewPage):
    """The figures alone, fetched again and again while something is being sent."""

    template_name = "wagtail_email_insights/admin/overview/figures.html"


def is_first_of_all(rows: Sequence[OverviewRow]) -> bool:
    """Tell whether nothing but one mailing was ever sent, and that one is still under way."""
    if len(rows) != 1 or rows[0].mailing.state not in OPEN_STATES:
        return False
    return not Mailing.objects.started().exclude(pk=rows[0].mailing.pk).exists()


def linked(found: Iterable[Alert]) -> list[tuple[Alert, str]]:
    """Put beside each alert where the e-mail's statistics are; nothing where there is no e-mail."""
    return [(one, email_url("statistics", one.email) if one.email else "") for one in found]
