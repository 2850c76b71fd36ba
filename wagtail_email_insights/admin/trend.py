"""How copies, opens and clicks moved from one day, week or month to the next, as bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..statistics.overview import TrendPoint
from ..templatetags.email_insights_admin import number, percent

WIDTH, HEIGHT = 600, 120
GAP = 0.25
"""The part of a bar's place that stays free."""

Measure = Callable[[TrendPoint], float | None]


@dataclass(frozen=True)
class Bar:
    """One bar in the chart's own units; *text* says what it stands for."""

    x: str
    y: str
    width: str
    height: str
    point: TrendPoint
    text: str


@dataclass(frozen=True)
class BarChart:
    """*top* is what the upper edge stands for."""

    code: str
    label: str | Promise
    bars: list[Bar]
    top: str
    approximate: bool = False

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def height(self) -> int:
        return HEIGHT


def charts_of(trend: Sequence[TrendPoint]) -> list[BarChart]:
    """Return one chart for how much was sent and two for how it was received."""
    if not any(point.mailings for point in trend):
        return []
    return [
        _chart("delivered", _("Delivered"), trend, _delivered, number),
        _chart("opened", _("Opened"), trend, _rate_of("opened"), percent, approximate=True),
        _chart("clicked", _("Clicked"), trend, _rate_of("clicked"), percent),
    ]


def _chart(
    code: str,
    label: str | Promise,
    trend: Sequence[TrendPoint],
    measure: Measure,
    write: Callable[..., str],
    *,
    approximate: bool = False,
) -> BarChart:
    values = [measure(point) for point in trend]
    top = max((value for value in values if value is not None), default=0) or 0
    place = WIDTH / len(trend)
    bars = [
        _bar(index * place, place, value / top if top else 0, point, write(value))
        for index, (point, value) in enumerate(zip(trend, values, strict=True))
        if value is not None and point.mailings
    ]
    return BarChart(code, label, bars, write(top), approximate)


def _bar(left: float, place: float, share: float, point: TrendPoint, text: str) -> Bar:
    # A little of it shows even for nothing: something was sent then.
    height = max(share * HEIGHT, 1)
    return Bar(
        x=f"{left + place * GAP / 2:.1f}",
        y=f"{HEIGHT - height:.1f}",
        width=f"{place * (1 - GAP):.1f}",
        height=f"{height:.1f}",
        point=point,
        text=text,
    )


def _delivered(point: TrendPoint) -> float | None:
    return point.figures["delivered"].value


def _rate_of(code: str) -> Measure:
    return lambda point: point.figures[code].rate
