"""Breakdowns as tables: what a figure is made up of, each number with the contacts behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..statistics import breakdowns
from ..statistics.breakdowns import LeavingSlice, PartSlice, Slice
from ..statistics.figures import ratio
from ..templatetags.email_insights_admin import language_name
from .charts import PeopleUrlIn
from .statistics_selection import NOT_KNOWN, Selection

Words = str | Promise


@dataclass(frozen=True)
class Cell:
    """One number, its rate if it has one, and where the contacts behind it are."""

    value: int
    rate: float | None = None
    people_url: str = ""


@dataclass(frozen=True)
class SplitRow:
    """One part; *share* is the length of its bar."""

    label: Words
    share: float | None
    cells: list[Cell]


@dataclass(frozen=True)
class Split:
    """A table of parts; the first heading says what the parts are.

    *overlap* says why the parts may add up to more than there is.
    """

    code: str
    label: Words
    headings: tuple[Words, ...]
    rows: list[SplitRow]
    overlap: Words = ""


def people_urls_in(selection: Selection, part: str, *, leads_to_people: bool) -> PeopleUrlIn:
    """Return what tells where the contacts behind one row of a breakdown are."""
    if not leads_to_people:
        return lambda code, key: ""
    return lambda code, key: selection.url("people", code, **{part: key or NOT_KNOWN})


def splits_of(selection: Selection, *, leads_to_people: bool) -> list[Split]:
    """Return the breakdowns that come from sums: by device and program, and why readers left."""
    mailings, scope = selection.shown, selection.scope

    def people_url(dimension: str) -> PeopleUrlIn:
        return people_urls_in(selection, dimension, leads_to_people=leads_to_people)

    return [
        Split(
            "device",
            _("By device"),
            (_("Device"), _("Opened"), _("Clicked")),
            _reading(breakdowns.by_device(mailings, scope), people_url("device")),
            _("A copy that was read on two devices is in both rows."),
        ),
        Split(
            "client",
            _("By program"),
            (_("Program"), _("Opened"), _("Clicked")),
            _reading(breakdowns.by_client(mailings, scope), people_url("client")),
            _("A copy that was read in two programs is in both rows."),
        ),
        Split(
            "why",
            _("Why readers unsubscribed"),
            (_("Reason"), _("Unsubscribed")),
            _leaving(breakdowns.by_leaving_reason(mailings), people_url("why")),
        ),
    ]


def split_of_parts(
    code: str,
    label: Words,
    heading: Words,
    parts: Iterable[PartSlice],
    people_url: PeopleUrlIn = lambda code, key: "",
    *,
    has_events: bool = True,
) -> Split:
    """Return a breakdown by list, segment or language; rates are of the identified copies.

    Without the events nobody can tell who opened or clicked, so these columns are left out.
    """

    def cell(part: PartSlice, figure: str, value: int, rate: float | None = None) -> Cell:
        return Cell(value, rate, people_url(figure, part.key) if value else "")

    def row(part: PartSlice) -> SplitRow:
        name = language_name(part.key) if code == "language" and part.key else part.label
        cells = [
            cell(part, "sent", part.sent),
            cell(part, "identified", part.identified),
            cell(part, "opened", part.opened, part.open_rate),
            cell(part, "clicked", part.clicked, part.click_rate),
        ]
        if not has_events:
            return SplitRow(name, ratio(part.identified, part.sent), cells[:2])
        return SplitRow(name, part.open_rate, cells)

    headings = (heading, _("Sent"), _("May be known"), _("Opened"), _("Clicked"))
    shown = headings if has_events else headings[:3]
    return Split(code, label, shown, [row(part) for part in parts])


def _reading(slices: Iterable[Slice], people_url: PeopleUrlIn) -> list[SplitRow]:
    return [
        SplitRow(
            part.label,
            part.share,
            [
                Cell(part.opened, part.share, people_url("opened", part.key)),
                Cell(part.clicked, None, people_url("clicked", part.key) if part.clicked else ""),
            ],
        )
        for part in slices
    ]


def _leaving(slices: Iterable[LeavingSlice], people_url: PeopleUrlIn) -> list[SplitRow]:
    return [
        SplitRow(
            part.label,
            part.share,
            [Cell(part.unsubscribed, part.share, people_url("unsubscribed", part.key))],
        )
        for part in slices
    ]
