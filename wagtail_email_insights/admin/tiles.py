"""Numbers as an editor sees them: each with where it leads, how much has a name, what is usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.urls import reverse

from ..emails.models import Email
from ..statistics.breakdowns import LinkSlice
from ..statistics.figures import Figure, Figures
from .statistics_selection import Selection

KNOWN_TOTALS = {"opened": "opens_identified", "clicked": "clicks_identified"}
"""Figures of which we know how many of their events carry a name, and where that is counted."""

PEOPLE_CODES = {"click_to_open": "clicked"}
"""Figures that count the same copies as another one."""


@dataclass(frozen=True)
class Tile:
    """A figure on the screen.

    ``known`` is how many of the ``figure.total`` times it was somebody who may be known, None
    where that is not counted; ``usual`` the sender's median rate, None where there is none.
    """

    figure: Figure
    people_url: str = ""
    known: int | None = None
    usual: float | None = None


@dataclass(frozen=True)
class LinkRow:
    """One destination in the table; an address is empty where it is not for this user."""

    slice: LinkSlice
    people_url: str = ""
    correct_url: str = ""


def tiles_of(
    figures: Figures,
    selection: Selection,
    *,
    leads_to_people: bool,
    usual: Mapping[str, float] | None = None,
) -> list[Tile]:
    """Return the tiles in the order of the figures."""
    return [
        Tile(
            figure=figure,
            people_url=_people_url(selection, figure.code) if leads_to_people else "",
            known=_known(figures, figure.code),
            usual=(usual or {}).get(figure.code),
        )
        for figure in figures
    ]


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
    return [
        LinkRow(
            slice=part,
            people_url=link_people_url(part, selection) if leads_to_people else "",
            correct_url=_correct_url(part) if may_correct and one_mailing else "",
        )
        for part in slices
    ]


def link_people_url(part: LinkSlice, selection: Selection) -> str:
    """Return where the contacts are who followed this link or opened this file."""
    code = "downloaded" if part.kind == "file" else "clicked"
    return selection.url("people", code, link=part.link_ids)


def _people_url(selection: Selection, code: str) -> str:
    return selection.url("people", PEOPLE_CODES.get(code, code))


def _known(figures: Figures, code: str) -> int | None:
    column = KNOWN_TOTALS.get(code)
    return getattr(figures.counts, column) if column else None


def _correct_url(part: LinkSlice) -> str:
    if part.kind == "file":
        return ""
    return reverse(Email.snippet_viewset.get_url_name("link_correct"), args=[part.link_ids[0]])
