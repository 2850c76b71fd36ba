"""Every number on a statistics screen; nowhere else is anything counted or divided.

Lists, panels, pages and exports call ``figures_for``. What each figure counts and means stands in
``definitions``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..emails.models import Email
from ..mailings.models import Mailing
from ..tracking.models import Scope
from .counts import Counts, count, count_groups
from .definitions import DEFINITIONS, Definition, Words


@dataclass(frozen=True)
class Coverage:
    """How many of the copies sent carry links that may name their reader."""

    identified: int
    sent: int

    @property
    def rate(self) -> float | None:
        return ratio(self.identified, self.sent)


@dataclass(frozen=True)
class FigurePart:
    """One of the numbers that a figure is the sum of, such as bounces for good."""

    label: Words
    value: int
    denominator: int

    @property
    def rate(self) -> float | None:
        return ratio(self.value, self.denominator)


@dataclass(frozen=True)
class Figure:
    """One number: ``value`` of ``denominator``, with what it means and how far to trust it.

    ``total`` counts every time it happened where ``value`` counts each copy once; None where the
    two are the same thing.
    """

    code: str
    label: Words
    hint: Words
    trust: Words
    value: int
    denominator: int
    denominator_label: Words
    total: int | None = None
    parts: tuple[FigurePart, ...] = ()
    approximate: bool = False
    lower_is_better: bool = False

    @property
    def rate(self) -> float | None:
        """``value / denominator``; None where there is nothing to divide by."""
        return ratio(self.value, self.denominator)


@dataclass(frozen=True)
class Figures:
    """All figures of one or several mailings taken together; those nobody reports are absent."""

    counts: Counts
    by_code: dict[str, Figure]
    coverage: Coverage
    scope: Scope

    def __getitem__(self, code: str) -> Figure:
        return self.by_code[code]

    def __contains__(self, code: object) -> bool:
        return code in self.by_code

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.by_code.values())

    def get(self, code: str) -> Figure | None:
        """Return the figure, or None where nobody reports it."""
        return self.by_code.get(code)


def figures_for(mailing: Mailing, scope: Scope = Scope.READERS) -> Figures:
    """Return every figure of one mailing, with numerator, denominator and coverage."""
    return figures_for_all([mailing], scope)


def figures_for_email(email: Email, scope: Scope = Scope.READERS) -> Figures:
    """Return the figures of everything ever sent of *email*: sums over sums."""
    return figures_for_all(email.mailings.started(), scope)


def figures_for_all(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Figures:
    """Return the figures of several mailings taken together."""
    return _figures_of(count(mailings, scope), scope)


def figures_for_groups(
    groups: Sequence[Collection[Mailing]], scope: Scope = Scope.READERS
) -> list[Figures]:
    """Return the figures of each group of mailings; as many queries for all groups as for one."""
    return [_figures_of(counts, scope) for counts in count_groups(groups, scope)]


def ratio(part: int, whole: int) -> float | None:
    """Return ``part / whole``; None where there is nothing to divide by."""
    return part / whole if whole else None


def _figures_of(counts: Counts, scope: Scope) -> Figures:
    known = [definition for definition in DEFINITIONS if definition.is_known(counts)]
    return Figures(
        counts=counts,
        by_code={definition.code: _figure(definition, counts) for definition in known},
        coverage=Coverage(counts.identified, counts.sent),
        scope=scope,
    )


def _figure(definition: Definition, counts: Counts) -> Figure:
    denominator = definition.of.count(counts)
    return Figure(
        code=definition.code,
        label=definition.label,
        hint=definition.meaning,
        trust=definition.trust,
        value=definition.value(counts),
        denominator=denominator,
        denominator_label=definition.of.label_for(counts),
        total=definition.total(counts) if definition.total else None,
        parts=tuple(
            FigurePart(part.label, part.count(counts), denominator) for part in definition.parts
        ),
        approximate=definition.approximate,
        lower_is_better=definition.lower_is_better,
    )
