"""Each figure over all mailings of a span, beside what it was in the span before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..statistics.figures import Figure
from ..statistics.overview import Overview
from ..templatetags.email_insights_admin import number, percent

BY_NUMBER = {"sent", "delivered"}
"""How much was sent tells more than which share of it got through."""

Direction = Literal["up", "down", "same"]

CHANGES: dict[Direction, tuple[str, str | Promise]] = {
    "up": ("▲", _("up from %(before)s")),
    "down": ("▼", _("down from %(before)s")),
    "same": ("=", _("%(before)s before, too")),
}
"""A symbol and a sentence for each direction."""


@dataclass(frozen=True)
class Tile:
    figure: Figure
    before: Figure | None = None

    @property
    def goes_by_number(self) -> bool:
        return self.figure.code in BY_NUMBER

    @property
    def direction(self) -> Direction | None:
        """Where it moved; None where there is nothing to compare with."""
        now, then = _measure(self.figure), _measure(self.before)
        if now is None or then is None:
            return None
        if now == then:
            return "same"
        return "up" if now > then else "down"

    @property
    def symbol(self) -> str:
        return CHANGES[self.direction][0] if self.direction else ""

    @property
    def change(self) -> str:
        """The direction in words; empty where there is nothing to compare with."""
        if not self.direction or not self.before:
            return ""
        write = number if self.goes_by_number else percent
        return str(CHANGES[self.direction][1]) % {"before": write(_measure(self.before))}

    @property
    def is_better(self) -> bool | None:
        """None where neither direction is good in itself."""
        if self.goes_by_number or self.direction in (None, "same"):
            return None
        return (self.direction == "down") == self.figure.lower_is_better


def tiles_of(overview: Overview) -> list[Tile]:
    """Return a tile per figure; the first span of all is compared with nothing."""
    is_first = not overview.previous.counts.sent
    return [
        Tile(figure, None if is_first else overview.previous.get(figure.code))
        for figure in overview.totals
    ]


def _measure(figure: Figure | None) -> float | None:
    if figure is None:
        return None
    return figure.value if figure.code in BY_NUMBER else figure.rate
