"""The same figures side by side: of several mailings, and of what is usual for a sender."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median

from ..conf import app_settings
from ..mailings.models import Mailing
from ..tracking.models import Scope
from .definitions import DEFINITIONS, Definition, Words
from .figures import Figure, Figures, figures_for_groups

LOOK_BACK = 20
"""Mailings of a sender that say what is usual."""

ENOUGH = 3
"""Mailings below which nothing is usual yet."""


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

    Of the last twenty mailings, without resends and the same e-mail to others, those with at least
    ``ranking_floor`` delivered copies; None where fewer than three are left.
    """
    earlier = _earlier_of_sender(mailing)
    each = figures_for_groups([[other] for other in earlier], scope)
    floor = app_settings.ranking_floor
    weighty = [figures for figures in each if figures.counts.delivered >= max(1, floor)]
    if len(weighty) < ENOUGH:
        return None
    rates = {definition.code: _rates(weighty, definition.code) for definition in DEFINITIONS}
    return {code: median(found) for code, found in rates.items() if found}


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
    if mailing.started_at:
        others = others.filter(started_at__lt=mailing.started_at)
    # Other sends of the same e-mail say nothing about what is usual.
    return list(others.exclude(pk=mailing.pk).exclude(email=mailing.email_id)[:LOOK_BACK])


def _rates(each: Sequence[Figures], code: str) -> list[float]:
    found = (figures.get(code) for figures in each)
    return [figure.rate for figure in found if figure and figure.rate is not None]
