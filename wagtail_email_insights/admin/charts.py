"""Figures as shapes: the plain numbers that templates draw SVG with. Nothing is counted here.

Shapes stretch with the screen, so words and numbers stand beside them as ordinary text, and every
chart has its table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.utils.functional import Promise

from ..statistics.curves import Curve, Point
from ..statistics.figures import Figure, Figures

WIDTH, HEIGHT = 1000, 200
FUNNEL = ("sent", "delivered", "opened", "clicked")
ROUND_NUMBERS = (1, 2, 5, 10)
TICKS = 5


@dataclass(frozen=True)
class Step:
    """One step of the funnel; *share* is its part of the first one, for the length of its bar."""

    figure: Figure
    share: float

    @property
    def label(self) -> str | Promise:
        return self.figure.label


@dataclass(frozen=True)
class Band:
    """An area over time: *path* in the chart's own units, *total* what is under it."""

    code: str
    path: str
    total: int


@dataclass(frozen=True)
class TimeChart:
    """Opens and clicks over time; *top* is the number at the upper edge."""

    unit: str
    top: int
    bands: list[Band]
    ticks: list[datetime]
    points: list[Point]

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def grid(self) -> str:
        """Lines at the upper edge, in the middle and at the bottom."""
        return "".join(f"M0 {y}H{WIDTH}" for y in (0, HEIGHT // 2, HEIGHT))

    @property
    def opens(self) -> int:
        return self.bands[0].total

    @property
    def clicks(self) -> int:
        return self.bands[1].total

    @property
    def eventful(self) -> list[Point]:
        """The rows of the table: a gap is told by its absence."""
        return [point for point in self.points if point.opens or point.clicks]


def funnel(figures: Figures) -> list[Step]:
    """Return the way from sent to clicked; a step that nobody reports is left out."""
    steps = [figures.by_code[code] for code in FUNNEL if code in figures.by_code]
    first = steps[0].value if steps else 0
    return [Step(figure, figure.value / first if first else 0) for figure in steps]


def time_chart(curve: Curve) -> TimeChart | None:
    """Return the shapes of *curve*; None where nothing has happened yet."""
    points = list(curve.points)
    top = round_up(max((max(point.opens, point.clicks) for point in points), default=0))
    if not top:
        return None
    return TimeChart(
        unit=curve.unit,
        top=top,
        bands=[
            _band("opens", [point.opens for point in points], top),
            _band("clicks", [point.clicks for point in points], top),
        ],
        ticks=[point.start for point in _spread(points)],
        points=points,
    )


def round_up(number: int) -> int:
    """Return the next number of the kind 1, 2, 5, 10, 20, 50 …; 0 for 0."""
    if number <= 0:
        return 0
    power = 10 ** (len(str(number)) - 1)
    return next(step * power for step in ROUND_NUMBERS if step * power >= number)


def _band(code: str, values: Sequence[int], top: int) -> Band:
    """Draw one flat step per value, from the left edge to the right one."""
    width = WIDTH / len(values)
    edges = [index * width for index in range(len(values) + 1)]
    steps = (
        f"L{left:.1f} {_y(value, top)}L{right:.1f} {_y(value, top)}"
        for (left, right), value in zip(pairwise(edges), values, strict=True)
    )
    return Band(code, f"M0 {HEIGHT}{''.join(steps)}L{WIDTH} {HEIGHT}Z", sum(values))


def _y(value: int, top: int) -> str:
    return f"{HEIGHT - HEIGHT * value / top:.1f}"


def _spread(points: Sequence[Point]) -> Iterable[Point]:
    """Return a few points at equal distances, the first and the last among them."""
    last = len(points) - 1
    number = min(TICKS, len(points))
    if number < 2:
        return points
    return [points[round(index * last / (number - 1))] for index in range(number)]
