"""The mailings of the overview as a table that sorts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.paginator import WagtailPaginator
from wagtail.admin.ui.tables import BaseColumn, Column, DateColumn, Table, TitleColumn

from ..mailings.models import Mailing
from ..statistics.definitions import DEFINITIONS
from ..statistics.overview import OverviewRow
from ..templatetags.email_insights_admin import number, percent
from ..tracking.models import Scope
from .addresses import email_url

USUAL_ORDER = "-started_at"
PER_PAGE = 50
BY_NUMBER = {"sent", "delivered"}
SHOWN_ON_PHONES = {"sent", "clicked"}
LEFT_OUT = {"click_to_open", "viewed"}
"""Figures for which a list has no room."""


def statistics_url(mailing: Mailing, scope: Scope = Scope.READERS) -> str:
    """Return the address of the statistics of this one mailing of its e-mail."""
    more = "" if scope == Scope.READERS else f"&scope={scope.name.lower()}"
    return f"{email_url('statistics', mailing.email)}?mailing={mailing.pk}{more}"


class ChoiceColumn(BaseColumn):
    """A box to choose the mailing for a comparison."""

    cell_template_name = "wagtail_email_insights/admin/overview/choice_cell.html"
    header_template_name = "wagtail_email_insights/admin/overview/choice_header.html"


class FigureColumn(Column):
    """A figure of each mailing; a dash where there is none."""

    def __init__(self, code: str, label: Any) -> None:
        lesser = "" if code in SHOWN_ON_PHONES else " wei-kpi--lesser"
        super().__init__(code, label=label, sort_key=code, classname=f"wei-kpi{lesser}")

    def measure(self, row: OverviewRow) -> float | None:
        """Return what the table is sorted by."""
        figure = row.figures.get(self.name)
        if figure is None:
            return None
        return figure.value if self.name in BY_NUMBER else figure.rate

    def get_value(self, instance: OverviewRow) -> str:
        return (number if self.name in BY_NUMBER else percent)(self.measure(instance))


class OverviewTable:
    """All rows in the order that *query* asks for, and the page of them that it asks for."""

    def __init__(
        self,
        rows: Sequence[OverviewRow],
        query: QueryDict,
        base_url: str,
        scope: Scope = Scope.READERS,
    ) -> None:
        self.unsorted = rows
        self.query = query
        self.base_url = base_url
        self.scope = scope
        self.columns = {code: FigureColumn(code, label) for code, label in _figures(rows)}

    @cached_property
    def ordering(self) -> str:
        wanted = self.query.get("ordering", USUAL_ORDER)
        return wanted if wanted.removeprefix("-") in {"started_at", *self.columns} else USUAL_ORDER

    @cached_property
    def rows(self) -> list[OverviewRow]:
        """Newest first among equals; dashes at the end, whichever way it is sorted."""
        name, is_descending = self.ordering.removeprefix("-"), self.ordering.startswith("-")
        if name == "started_at":
            return list(self.unsorted) if is_descending else list(reversed(self.unsorted))
        measures = [(row, self.columns[name].measure(row)) for row in self.unsorted]
        known = [(row, value) for row, value in measures if value is not None]
        known.sort(key=lambda pair: pair[1], reverse=is_descending)
        return [row for row, _value in known] + [row for row, value in measures if value is None]

    @cached_property
    def page(self) -> Page:
        return WagtailPaginator(self.rows, PER_PAGE).get_page(self.query.get("p"))

    @cached_property
    def component(self) -> Table:
        columns = [
            ChoiceColumn("choice", label=_("Compare")),
            TitleColumn(
                "email",
                label=_("E-mail"),
                accessor="mailing.email",
                get_url=lambda row: statistics_url(row.mailing, self.scope),
            ),
            DateColumn(
                "started_at",
                label=_("Sent on"),
                accessor="mailing.started_at",
                sort_key="started_at",
                classname="wei-kpi--lesser",
            ),
            *self.columns.values(),
        ]
        return Table(columns, self.page.object_list, base_url=self.base_url, ordering=self.ordering)


def _figures(rows: Sequence[OverviewRow]) -> list[tuple[str, Any]]:
    """Return code and label of the figures that any row has."""
    return [
        (known.code, known.label)
        for known in DEFINITIONS
        if known.code not in LEFT_OUT and any(known.code in row.figures for row in rows)
    ]
