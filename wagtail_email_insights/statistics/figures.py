"""Every number on a statistics screen, each defined here once and nowhere else.

Lists, panels, pages and exports call ``figures_for``; none of them counts or divides by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..emails.models import Email
from ..mailings.models import Mailing
from ..tracking.models import EventKind
from .queries import BOUNCES, Counts, LinkCount, count, count_links


@dataclass(frozen=True)
class Coverage:
    """How many of the copies sent carry links that may name their reader."""

    identified: int
    sent: int

    @property
    def rate(self) -> float | None:
        return _ratio(self.identified, self.sent)


@dataclass(frozen=True)
class Figure:
    """One number: ``value`` of ``denominator``, with what it means.

    ``total`` counts every time it happened where ``value`` counts each copy once; None where the
    two are the same thing. A figure without a rate has no denominator.
    """

    code: str
    label: str | Promise
    hint: str | Promise
    value: int
    denominator: int | None = None
    denominator_label: str | Promise = ""
    total: int | None = None
    approximate: bool = False

    @property
    def rate(self) -> float | None:
        """``value / denominator``; None where there is nothing to divide by."""
        return None if self.denominator is None else _ratio(self.value, self.denominator)


@dataclass(frozen=True)
class Figures:
    """All figures of one or several mailings taken together."""

    counts: Counts
    by_code: dict[str, Figure]
    coverage: Coverage

    def __getitem__(self, code: str) -> Figure:
        return self.by_code[code]

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.by_code.values())


FigureFunction = Callable[[Counts], "Figure | None"]
_functions: list[FigureFunction] = []


def figure(function: FigureFunction) -> FigureFunction:
    """Put a figure on every screen, in the order of definition; None where nobody reports it."""
    _functions.append(function)
    return function


def figures_for(mailing: Mailing) -> Figures:
    """Return every figure of one mailing, with numerator, denominator and coverage."""
    return figures_for_all([mailing])


def figures_for_email(email: Email) -> Figures:
    """Return the figures of everything ever sent of *email*: sums over sums."""
    return figures_for_all(email.mailings.started())


def figures_for_all(mailings: Iterable[Mailing]) -> Figures:
    """Return the figures of several mailings taken together."""
    counts = count(mailings)
    return Figures(
        counts=counts,
        by_code={made.code: made for function in _functions if (made := function(counts))},
        coverage=Coverage(counts.identified, counts.sent),
    )


def links_for(mailings: Iterable[Mailing]) -> list[LinkCount]:
    """Return clicks by destination, in the order in which the destinations stand in the e-mail."""
    return count_links(mailings)


def readers(counts: Counts) -> dict[str, Any]:
    """Return the denominator of what readers did: delivered copies that can be told apart.

    That is all of them unless anonymous copies are counted in totals only, or not at all.
    """
    told_apart = counts.told_apart - counts.told_apart_bounced
    everybody = told_apart == delivered_count(counts)
    return {
        "denominator": told_apart,
        "denominator_label": _("delivered") if everybody else _("delivered and told apart"),
    }


def delivered_count(counts: Counts) -> int:
    """Copies that arrived as far as anybody told us: sent, less those that came back."""
    return counts.sent - counts.hard_bounced - counts.soft_bounced


@figure
def sent(counts: Counts) -> Figure:
    return Figure(
        code="sent",
        label=_("Sent"),
        hint=_("Copies that the mail server has taken, of all that were to be sent."),
        value=counts.sent,
        denominator=counts.attempted,
        denominator_label=_("to be sent"),
    )


@figure
def delivered(counts: Counts) -> Figure:
    return Figure(
        code="delivered",
        label=_("Delivered"),
        hint=_(
            "Sent copies that did not come back. As long as no source of bounces is connected, "
            "every sent copy counts as delivered."
        ),
        value=delivered_count(counts),
        denominator=counts.sent,
        denominator_label=_("sent"),
    )


@figure
def opened(counts: Counts) -> Figure:
    return Figure(
        code="opened",
        label=_("Opened"),
        hint=_(
            "Some mail services load images by themselves, others block them. "
            "A copy with a click counts as opened. Trust clicks more."
        ),
        value=counts.opened,
        **readers(counts),
        total=counts.opens_total,
        approximate=True,
    )


@figure
def clicked(counts: Counts) -> Figure:
    return Figure(
        code="clicked",
        label=_("Clicked"),
        hint=_(
            "Copies in which at least one link was followed. The most reliable sign of interest."
        ),
        value=counts.clicked,
        **readers(counts),
        total=counts.clicks_total,
    )


@figure
def click_to_open(counts: Counts) -> Figure:
    return Figure(
        code="click_to_open",
        label=_("Clicked of opened"),
        hint=_("How many of those who opened also clicked: says more of content than of subject."),
        value=counts.clicked,
        denominator=counts.opened,
        denominator_label=_("opened"),
        approximate=True,
    )


@figure
def unsubscribed(counts: Counts) -> Figure:
    return Figure(
        code="unsubscribed",
        label=_("Unsubscribed"),
        hint=_("Copies whose unsubscribe link or button was used, from this list or everything."),
        value=counts.unsubscribed,
        denominator=delivered_count(counts),
        denominator_label=_("delivered"),
    )


@figure
def bounced(counts: Counts) -> Figure | None:
    if not counts.reported & BOUNCES:
        return None
    return Figure(
        code="bounced",
        label=_("Bounced"),
        hint=_(
            "Copies that came back, for good or for now. Addresses that do not exist are "
            "suppressed at once; over two in a hundred means that the list needs cleaning."
        ),
        value=counts.hard_bounced + counts.soft_bounced,
        denominator=counts.sent,
        denominator_label=_("sent"),
    )


@figure
def complained(counts: Counts) -> Figure | None:
    if EventKind.COMPLAINT not in counts.reported:
        return None
    return Figure(
        code="complained",
        label=_("Reported as spam"),
        hint=_(
            "Copies reported as spam; not every provider tells. Nobody who did is mailed again."
        ),
        value=counts.complained,
        denominator=delivered_count(counts),
        denominator_label=_("delivered"),
    )


@figure
def replied(counts: Counts) -> Figure | None:
    if EventKind.REPLY not in counts.reported:
        return None
    return Figure(
        code="replied",
        label=_("Replied"),
        hint=_("Copies that were answered by a person; automatic replies are left out."),
        value=counts.replied,
        denominator=delivered_count(counts),
        denominator_label=_("delivered"),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
