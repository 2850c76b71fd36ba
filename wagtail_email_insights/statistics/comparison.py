"""The same figures side by side: of several mailings, and of what is usual for a sender."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median

from ..conf import app_settings
from ..mailings.models import OPEN_STATES, Mailing
from ..tracking.models import Scope
from .definitions import DEFINITIONS, Definition, Words
from .figures import Figure, Figures, figures_for_groups, ratio
from .gathering import LOOK_BACK, with_links

ENOUGH = 3
"""Mailings below which nothing is usual yet."""

OF_LINKS = frozenset({"clicked", "click_to_open"})
"""Rates that say nothing of a mailing without a link to follow."""


@dataclass(frozen=True)
class ComparisonRow:
    """One figure of every group, in the order of the groups; None where nobody reports it."""

    code: str
    label: Words
    hint: Words
    lower_is_better: bool
    approximate: bool
    cells: list[Figure | None]


def compare(
    groups: Sequence[Collection[Mailing]], scope: Scope = Scope.READERS
) -> list[ComparisonRow]:
    """Return a row per figure that any group has; as many queries for many groups as for one."""
    columns = figures_for_groups(groups, scope)
    rows = [_row(definition, columns) for definition in DEFINITIONS]
    return [row for row in rows if any(row.cells)]


def senders_median(mailing: Mailing, scope: Scope = Scope.READERS) -> dict[str, float] | None:
    """Return the median rate of each figure over what the same sender sent before *mailing*.

    Of the last twenty mailings, without resends, the same e-mail to others and what is still being
    sent, a figure counts those that have at least ``ranking_floor`` copies to divide it by, and one
    of clicks only those with links. None where no figure has three of them.
    """
    earlier = _earlier_of_sender(mailing)
    each = figures_for_groups([[other] for other in earlier], scope)
    linked = with_links([other.pk for other in earlier])
    with_link = [found for other, found in zip(earlier, each, strict=True) if other.pk in linked]
    rates = {
        definition.code: _rates(with_link if definition.code in OF_LINKS else each, definition.code)
        for definition in DEFINITIONS
    }
    return {code: median(found) for code, found in rates.items() if len(found) >= ENOUGH} or None


def weighty_rate(figures: Figures, code: str) -> float | None:
    """Return a rate; None where nobody reports it or too few copies are behind it.

    What counts are the copies in which it could have been seen: where anonymous ones are not told
    apart, a thousand delivered copies may be two for clicks.
    """
    figure = figures.get(code)
    if figure is None:
        return None
    behind = figures["clicked"] if code == "click_to_open" else figure
    return figure.rate if behind.denominator >= least_copies() else None


def weighty(part: int, whole: int) -> float | None:
    """Return the share of *part*; None where *whole* is too few copies to say something."""
    return ratio(part, whole) if whole >= least_copies() else None


def least_copies() -> int:
    """Return below how many copies a rate says nothing."""
    return max(1, app_settings.ranking_floor)


def _row(definition: Definition, columns: Sequence[Figures]) -> ComparisonRow:
    return ComparisonRow(
        code=definition.code,
        label=definition.label,
        hint=definition.meaning,
        lower_is_better=definition.lower_is_better,
        approximate=definition.approximate,
        cells=[figures.get(definition.code) for figures in columns],
    )


def _earlier_of_sender(mailing: Mailing) -> list[Mailing]:
    others = Mailing.objects.started().filter(
        sender=mailing.sender_id,
        site=mailing.site_id,
        started_at__isnull=False,
        resend_of__isnull=True,
    )
    others = others.exclude(state__in=OPEN_STATES)
    if mailing.started_at:
        others = others.filter(started_at__lt=mailing.started_at)
    # Other sends of the same e-mail say nothing about what is usual.
    return list(others.exclude(pk=mailing.pk).exclude(email=mailing.email_id)[:LOOK_BACK])


def _rates(each: Sequence[Figures], code: str) -> list[float]:
    rates = (weighty_rate(figures, code) for figures in each)
    return [rate for rate in rates if rate is not None]
