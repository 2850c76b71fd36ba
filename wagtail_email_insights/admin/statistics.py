"""The statistics of one e-mail, as a full page and as the fragments that keep it fresh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..conf import app_settings
from ..mailings.models import OPEN_STATES, Mailing
from ..segments.models import Segment
from ..statistics import breakdowns
from ..statistics.breakdowns import PartSlice
from ..statistics.comparison import senders_median
from ..statistics.curves import curve_for
from ..statistics.figures import figures_for_all
from ..tracking import recording, retention
from . import charts, experiments
from .addresses import email_url, mailing_url
from .diagnostics import findings_context
from .pages import EmailPage
from .permissions import SEND, VIEW_ACTIVITIES, has
from .segments import may_see_members
from .splits import people_urls_in, split_of_parts, splits_of
from .statistics_selection import SCOPES, SCOPES_IN_WORDS, Selection, SelectionPage
from .tiles import comparison_rows, left_over_urls, link_rows, people_urls, tiles_of

COMPARABLE = 50
"""How many other mailings are offered to compare with: the newest."""

EXPORTS: list[tuple[str | Promise, str, dict[str, str]]] = [
    (_("Figures as CSV"), "csv", {}),
    (_("Links as CSV"), "csv", {"sheet": "links"}),
    (_("Everything as XLSX"), "xlsx", {}),
]
"""What an export is called, its format, and what else its address says."""

PARTS: dict[str, tuple[str | Promise, str | Promise, Callable[..., list[PartSlice]]]] = {
    "list": (_("By list"), _("List"), breakdowns.by_list),
    "segment": (_("By segment"), _("Segment"), breakdowns.by_segment),
    "language": (_("By language"), _("Language"), breakdowns.by_language),
}
"""What looks at every copy and is therefore counted only when somebody asks for it."""


class StatisticsPage(SelectionPage):
    page_title = _("Statistics")
    header_icon = "email-statistics"
    template_name = "wagtail_email_insights/admin/statistics/page.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        recording.catch_up()
        return self.render_to_response(self.get_context_data())

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return EmailPage.get_breadcrumbs_items(self)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        selection = self.selection
        return super().get_context_data(
            **essentials(selection, self.request.user),
            **details(selection, self.request.user),
            **surroundings(selection),
            **kwargs,
        )


class StatisticsFragment(StatisticsPage):
    """The figures alone, as they are fetched again and again."""

    template_name = "wagtail_email_insights/admin/statistics/figures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        selection = self.selection
        user = self.request.user
        return SelectionPage.get_context_data(
            self, **essentials(selection, user), **details(selection, user), **kwargs
        )


class StatisticsPanelFragment(StatisticsPage):
    """The essential part, beside the e-mail's editor."""

    template_name = "wagtail_email_insights/admin/statistics/panel.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return SelectionPage.get_context_data(
            self, **essentials(self.selection, self.request.user), **kwargs
        )


class StatisticsPart(SelectionPage):
    """One breakdown that takes longer, fetched when somebody opens it."""

    template_name = "wagtail_email_insights/admin/statistics/part.html"

    def get(self, request: HttpRequest, pk: int, part: str) -> HttpResponse:
        if part not in PARTS:
            raise Http404
        label, heading, count = PARTS[part]
        recording.catch_up()
        slices = count(self.selection.shown, self.selection.scope)
        removed_at = retention.removed_at([mailing.pk for mailing in self.selection.shown])
        split = split_of_parts(
            part,
            label,
            heading,
            slices,
            self._people_url(part, slices),
            has_events=removed_at is None,
        )
        return self.render_to_response({"split": split, "events_removed_at": removed_at})

    def _people_url(self, part: str, slices: list[PartSlice]) -> charts.PeopleUrlIn:
        """Return the way to contacts; those in a segment not everybody may see."""
        user = self.request.user
        address_of = people_urls_in(
            self.selection, part, leads_to_people=has(user, VIEW_ACTIVITIES)
        )
        if part != "segment":
            return address_of
        segments = Segment.objects.filter(pk__in=[row.key for row in slices])
        seen = {str(segment.pk) for segment in segments if may_see_members(segment, user)}
        return lambda code, key: address_of(code, key) if key in seen else ""


def essentials(selection: Selection, user: Any) -> dict[str, Any]:
    """Return what panel and page both show; the same number of queries for every e-mail."""
    mailings, scope = selection.shown, selection.scope
    figures = figures_for_all(mailings, scope)
    running = next((mailing for mailing in mailings if mailing.state in OPEN_STATES), None)
    leads_to_people = has(user, VIEW_ACTIVITIES)
    return {
        "figures": figures,
        "funnel": charts.funnel(figures, people_urls(selection, leads_to_people=leads_to_people)),
        "left_over": left_over_urls(figures, selection, leads_to_people=leads_to_people),
        "tiles": tiles_of(
            figures, selection, leads_to_people=leads_to_people, usual=_usual(selection)
        ),
        "links": link_rows(
            breakdowns.by_link(mailings, scope),
            selection,
            leads_to_people=leads_to_people,
            may_correct=has(user, SEND),
        ),
        "verdicts": breakdowns.by_verdict(mailings),
        **findings_context(selection.email),
        "running": running,
        "running_url": mailing_url("mailing", running) if running else "",
    }


def details(selection: Selection, user: Any) -> dict[str, Any]:
    """Return what only the page shows, from the same sums as the rest."""
    mailings = selection.shown
    leads_to_people = has(user, VIEW_ACTIVITIES)
    return {
        "times": _times(selection, leads_to_people=leads_to_people),
        "splits": splits_of(selection, leads_to_people=leads_to_people),
        "tests": experiments.tests_of(mailings),
        "comparison": comparison_rows(selection, leads_to_people=leads_to_people),
        "click_map_url": selection.url("click_map"),
    }


def surroundings(selection: Selection) -> dict[str, Any]:
    """Return what stands around the figures and stays as it is while they move."""
    return {
        "fragment_url": selection.url("statistics_fragment"),
        "refresh_seconds": app_settings.refresh_seconds,
        "bare_url": email_url("statistics", selection.email),
        "exports": [
            (label, selection.url("statistics_export", file_format, **more))
            for label, file_format, more in EXPORTS
        ],
        "scopes": [
            (scope.label, selection.url("statistics", scope=name), scope == selection.scope)
            for name, scope in SCOPES.items()
        ],
        "scope_in_words": SCOPES_IN_WORDS[selection.scope],
        "comparable": _comparable(selection),
        "parts": [
            (label, selection.url("statistics_part", name))
            for name, (label, *_others) in PARTS.items()
        ],
    }


def _usual(selection: Selection) -> dict[str, float] | None:
    """Return what is usual for the sender of the newest mailing; None where nothing is yet."""
    if selection.newest is None:
        return None
    return senders_median(selection.newest, selection.scope)


def _times(selection: Selection, *, leads_to_people: bool) -> list[charts.TimeChart]:
    """Return the first two days by the hour and, once there are more, all of them by day."""
    mailings, scope = selection.shown, selection.scope
    curves = [curve_for(mailings, scope)]
    if curves[0].unit == "day":
        curves.insert(0, curve_for(mailings, scope, unit="hour"))
    drawn = (
        charts.time_chart(
            curve, people_urls_in(selection, curve.unit, leads_to_people=leads_to_people)
        )
        for curve in curves
    )
    return [chart for chart in drawn if chart]


def _comparable(selection: Selection) -> list[Mailing]:
    others = Mailing.objects.started().select_related("email")
    shown = [mailing.pk for mailing in selection.shown]
    return list(others.exclude(pk__in=shown)[:COMPARABLE])


def fragment(request: HttpRequest, pk: int) -> HttpResponseBase:
    view = panel_fragment if "panel" in request.GET else page_fragment
    return view(request, pk=pk)


page = StatisticsPage.as_view()
page_fragment = StatisticsFragment.as_view()
panel_fragment = StatisticsPanelFragment.as_view()
part = StatisticsPart.as_view()
