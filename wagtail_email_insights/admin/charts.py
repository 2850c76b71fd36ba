"""Figures as shapes: the plain numbers that templates draw SVG with. Nothing is counted here.

Shapes stretch with the screen, so words and numbers stand beside them as ordinary text, and every
chart has its table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.utils.functional import Promise

from ..statistics.curves import Curve, Point, Unit, spelled
from ..statistics.figures import Figure, Figures

WIDTH, HEIGHT = 1000, 200
FUNNEL = ("sent", "delivered", "opened", "clicked")
TENTHS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
"""Round numbers, ten times what they stand for."""

TICKS = 5

LEAST: dict[Unit, int] = {"hour": 24, "day": 7}
"""Hours or days that there is room for from the beginning: one alone would be a wall."""

STEPS: dict[Unit, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}

PeopleUrl = Callable[[str], str]
"""From the code of a figure to the contacts behind it; empty where barred."""

PeopleUrlIn = Callable[[str, str], str]
"""The same of one part, from the code of the figure and the key of the part."""


@dataclass(frozen=True)
class Step:
    """One step of the funnel; *share* is its part of all that was to be sent, as a bar has it."""

    figure: Figure
    share: float
    people_url: str = ""

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
class TimeRow:
    """One hour or day of the table, and the contacts behind its first times."""

    point: Point
    opened_url: str = ""
    clicked_url: str = ""


@dataclass(frozen=True)
class TimeChart:
    """Opens and clicks over time; *top* is the number at the upper edge.

    The rows of the table leave out gaps: these are told by their absence.
    """

    unit: str
    top: int
    bands: list[Band]
    ticks: list[datetime]
    points: list[Point]
    rows: list[TimeRow]

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
    def middle(self) -> int | None:
        """The number at the line in the middle, if it is a whole one."""
        return None if self.top % 2 else self.top // 2

    @property
    def opens(self) -> int:
        return self.bands[0].total

    @property
    def clicks(self) -> int:
        return self.bands[1].total


def funnel(figures: Figures, people_url: PeopleUrl = lambda code: "") -> list[Step]:
    """Return the way from sent to clicked; a step that nobody reports is left out.

    *people_url* says where the contacts behind a figure are, empty where that is not to be seen.
    """
    steps = [figures.by_code[code] for code in FUNNEL if code in figures.by_code]
    everything = steps[0].denominator if steps else 0
    return [
        Step(
            figure,
            share=figure.value / everything if everything else 0,
            people_url=people_url(figure.code) if figure.value else "",
        )
        for figure in steps
    ]


def time_chart(curve: Curve, people_url: PeopleUrlIn | None = None) -> TimeChart | None:
    """Return the shapes of *curve*; None where nothing has happened yet.

    *people_url* says where the contacts are behind the code of a figure and a point as
    ``curves.spelled`` has it.
    """
    points = list(curve.points)
    slots = max(len(points), LEAST[curve.unit])
    rows = [_row(curve, point, people_url) for point in points if _is_eventful(point)]
    if not rows:
        return None
    top = round_up(max(1, *(max(point.opens, point.clicks) for point in points)))
    return TimeChart(
        unit=curve.unit,
        top=top,
        bands=[
            _band("opens", [point.opens for point in points], slots, top),
            _band("clicks", [point.clicks for point in points], slots, top),
        ],
        ticks=[points[0].start + index * STEPS[curve.unit] for index in _spread(slots)],
        points=points,
        rows=rows,
    )


def round_up(number: int) -> int:
    """Return the next number that reads well at an axis, such as 2, 6, 15, 250, 4000; 0 for 0."""
    if number <= 0:
        return 0
    power = 10 ** (len(str(number)) - 1)
    tenths = (step * power for step in TENTHS)
    return next(step // 10 for step in tenths if step % 10 == 0 and step >= number * 10)


def _row(curve: Curve, point: Point, people_url: PeopleUrlIn | None) -> TimeRow:
    if people_url is None:
        return TimeRow(point)
    key = spelled(curve.unit, point.start)
    return TimeRow(
        point,
        opened_url=people_url("opened", key) if point.opened else "",
        clicked_url=people_url("clicked", key) if point.clicked else "",
    )


def _is_eventful(point: Point) -> bool:
    # Whoever opens an attachment has opened the e-mail, without an open or a click.
    return bool(point.opens or point.clicks or point.opened)


def _band(code: str, values: Sequence[int], slots: int, top: int) -> Band:
    """Draw one flat step per value, from the left edge to as far as the values go."""
    width = WIDTH / slots
    edges = [index * width for index in range(len(values) + 1)]
    steps = (
        f"L{left:.1f} {_y(value, top)}L{right:.1f} {_y(value, top)}"
        for (left, right), value in zip(pairwise(edges), values, strict=True)
    )
    return Band(code, f"M0 {HEIGHT}{''.join(steps)}L{edges[-1]:.1f} {HEIGHT}Z", sum(values))


def _y(value: int, top: int) -> str:
    return f"{HEIGHT - HEIGHT * value / top:.1f}"


def _spread(slots: int) -> list[int]:
    """Return a few places at equal distances, the first and the last among them."""
    return [round(index * (slots - 1) / (TICKS - 1)) for index in range(TICKS)]
