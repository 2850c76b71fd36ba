"""Numbers as an editor sees them: each with where it leads, how much has a name, what is usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.urls import reverse

from ..emails.models import Email
from ..statistics import comparison
from ..statistics.breakdowns import LinkSlice
from ..statistics.comparison import ComparisonRow
from ..statistics.figures import Figure, FigurePart, Figures
from ..tracking.corrections import history_of
from ..tracking.models import LinkCorrection
from .charts import PeopleUrl
from .statistics_selection import Selection

KNOWN_TOTALS = {"opened": "opens_identified", "clicked": "clicks_identified"}
"""Figures of which we know how many of their events carry a name, and where that is counted."""

PEOPLE_CODES = {"click_to_open": "clicked"}
"""Figures that count the same copies as another one."""


ABSENCES = {"opened": "not_opened", "clicked": "not_clicked"}
"""Figures of which one asks as much who is missing."""

PART_CODES: dict[str, tuple[str, ...]] = {"bounced": ("hard_bounced", "soft_bounced")}
"""What the parts of a figure are called where the contacts behind them are, in their order."""

LEFT_OVER = ("failed", "uncertain", "only_through_proxy")
"""Counts beside the figures that stand for contacts, too."""


@dataclass(frozen=True)
class TilePart:
    """One of the numbers that a figure is the sum of, and the contacts behind it."""

    part: FigurePart
    people_url: str = ""


@dataclass(frozen=True)
class Tile:
    """A figure on the screen; addresses are empty where nobody is behind them or may be seen.

    ``known`` is how many of the ``figure.total`` times it was somebody who may be known, None
    where that is not counted; ``usual`` the sender's median rate, None where there is none.
    """

    figure: Figure
    parts: tuple[TilePart, ...] = ()
    people_url: str = ""
    absent_url: str = ""
    known: int | None = None
    usual: float | None = None


@dataclass(frozen=True)
class LinkRow:
    """One destination in the table; an address is empty where it is not for this user."""

    slice: LinkSlice
    people_url: str = ""
    correct_url: str = ""
    corrections: tuple[LinkCorrection, ...] = ()


@dataclass(frozen=True)
class ComparedRow:
    """One figure of two mailings, each with where the contacts behind it are."""

    row: ComparisonRow
    cells: list[tuple[Figure | None, str]]


def tiles_of(
    figures: Figures,
    selection: Selection,
    *,
    leads_to_people: bool,
    usual: Mapping[str, float] | None = None,
) -> list[Tile]:
    """Return the tiles in the order of the figures."""
    address_of = people_urls(selection, leads_to_people=leads_to_people)
    return [
        Tile(
            figure=figure,
            parts=_parts(figure, address_of),
            people_url=address_of(figure.code) if figure.value else "",
            absent_url=_absent_url(figure, address_of),
            known=_known(figures, figure.code),
            usual=(usual or {}).get(figure.code),
        )
        for figure in figures
    ]


def left_over_urls(
    figures: Figures, selection: Selection, *, leads_to_people: bool
) -> dict[str, str]:
    """Return where the contacts are of whom no figure tells, by the name of their count."""
    address_of = people_urls(selection, leads_to_people=leads_to_people)
    return {code: address_of(code) for code in LEFT_OVER if getattr(figures.counts, code)}


def link_rows(
    slices: Iterable[LinkSlice],
    selection: Selection,
    *,
    leads_to_people: bool,
    may_correct: bool,
) -> list[LinkRow]:
    """Return the rows in the order of the e-mail.

    A link is corrected in one mailing: with several added up, nothing says which is meant.
    """
    one_mailing = len(selection.shown) == 1
    slices = list(slices)
    history = history_of(pk for part in slices for pk in part.link_ids)
    return [
        LinkRow(
            slice=part,
            people_url=link_people_url(part, selection) if leads_to_people and part.clicked else "",
            correct_url=_correct_url(part) if may_correct and one_mailing else "",
            corrections=_each_once(history[pk] for pk in part.link_ids),
        )
        for part in slices
    ]


def _each_once(histories: Iterable[Iterable[LinkCorrection]]) -> tuple[LinkCorrection, ...]:
    """Return the corrections of one destination: that of several variants is one."""
    every = (correction for history in histories for correction in history)
    return tuple({(it.before, it.at): it for it in every}.values())


def link_people_url(part: LinkSlice, selection: Selection) -> str:
    """Return where the contacts are who followed this link or opened this file."""
    code = "downloaded" if part.kind == "file" else "clicked"
    return selection.url("people", code, link=part.link_ids[0])


def people_urls(selection: Selection, *, leads_to_people: bool) -> PeopleUrl:
    """Return what tells where the contacts behind a figure are; empty where barred."""
    if not leads_to_people:
        return lambda code: ""
    return lambda code: selection.url("people", PEOPLE_CODES.get(code, code))


def comparison_rows(selection: Selection, *, leads_to_people: bool) -> list[ComparedRow]:
    """Return the figures beside those of the mailing compared with; none where there is none."""
    compared = selection.compared
    if compared is None:
        return []
    other = replace(selection, email=compared.email, mailing=compared, mailings=[compared])
    ways = [people_urls(side, leads_to_people=leads_to_people) for side in (selection, other)]
    return [
        ComparedRow(
            row,
            [
                (figure, address_of(row.code) if figure and figure.value else "")
                for figure, address_of in zip(row.cells, ways, strict=True)
            ],
        )
        for row in comparison.compare([selection.shown, [compared]], selection.scope)
    ]


def _parts(figure: Figure, address_of: PeopleUrl) -> tuple[TilePart, ...]:
    codes = PART_CODES.get(figure.code, ("",) * len(figure.parts))
    return tuple(
        TilePart(part, address_of(code) if code and part.value else "")
        for code, part in zip(codes, figure.parts, strict=True)
    )


def _absent_url(figure: Figure, address_of: PeopleUrl) -> str:
    absence = ABSENCES.get(figure.code, "")
    return address_of(absence) if absence and figure.value < figure.denominator else ""


def _known(figures: Figures, code: str) -> int | None:
    column = KNOWN_TOTALS.get(code)
    return getattr(figures.counts, column) if column else None


def _correct_url(part: LinkSlice) -> str:
    if part.kind == "file":
        return ""
    return reverse(Email.snippet_viewset.get_url_name("link_correct"), args=[part.link_ids[0]])
