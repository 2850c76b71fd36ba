"""Drawings of the garden, made on the spot so that no photograph has to be carried along."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFilter
from wagtail.images.models import Image

Colour = tuple[int, int, int]
Point = tuple[float, float]

SIZE = (1600, 1000)
# Drawn larger and scaled down, which smooths every edge.
SCALE = 2


class Canvas:
    """Shapes in the coordinates of the finished picture."""

    def __init__(self, top: Colour, bottom: Colour) -> None:
        strip = Pillow.new("RGB", (1, 2))
        strip.putdata([top, bottom])
        self.picture = strip.resize((SIZE[0] * SCALE, SIZE[1] * SCALE), Pillow.Resampling.BILINEAR)
        self.pen = ImageDraw.Draw(self.picture, "RGBA")

    def shape(self, points: Sequence[Point], colour: tuple[int, ...]) -> None:
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=colour)

    def line(self, points: Sequence[Point], colour: tuple[int, ...], width: float) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self.pen.line(scaled, fill=colour, width=round(width * SCALE), joint="curve")

    def disc(self, x: float, y: float, radius: float, colour: tuple[int, ...]) -> None:
        box = [
            (x - radius) * SCALE,
            (y - radius) * SCALE,
            (x + radius) * SCALE,
            (y + radius) * SCALE,
        ]
        self.pen.ellipse(box, fill=colour)

    def hill(self, height: float, wave: float, colour: Colour, phase: float) -> None:
        """A soft ridge across the whole width."""
        ridge = [
            (x, height + wave * math.sin(x / 260 + phase) + wave / 2 * math.sin(x / 97 + phase))
            for x in range(0, SIZE[0] + 20, 20)
        ]
        self.shape([(0, SIZE[1]), *ridge, (SIZE[0], SIZE[1])], colour)

    def leaf(self, x: float, y: float, length: float, angle: float, colour: Colour) -> None:
        """A pointed leaf that grows from (x, y)."""
        side = [(t / 12, math.sin(math.pi * t / 12) ** 0.8 * 0.17) for t in range(13)]
        outline = side + [(along, -across) for along, across in reversed(side)]
        cos, sin = math.cos(angle) * length, math.sin(angle) * length
        self.shape([(x + a * cos - b * sin, y + a * sin + b * cos) for a, b in outline], colour)

    def blossom(self, x: float, y: float, size: float, colour: Colour, petals: int = 8) -> None:
        for number in range(petals):
            self.leaf(x, y, size, 2 * math.pi * number / petals, colour)
        self.disc(x, y, size * 0.22, (246, 200, 88))

    def finish(self) -> Pillow.Image:
        return self.picture.resize(SIZE, Pillow.Resampling.LANCZOS)


def glasshouse(chance: random.Random) -> Pillow.Image:
    """The old glasshouse on a clear morning."""
    canvas = Canvas((246, 214, 178), (252, 243, 224))
    canvas.disc(1180, 300, 95, (255, 250, 236))
    canvas.hill(520, 40, (166, 196, 170), 0.4)
    canvas.hill(600, 34, (110, 160, 128), 2.1)
    canvas.hill(700, 18, (70, 128, 92), 4.0)
    for left, width, height in ((270, 330, 260), (540, 520, 420), (1000, 330, 260)):
        _glass_hall(canvas, left, 780, width, height)
    canvas.hill(800, 10, (46, 98, 68), 1.0)
    for _number in range(150):
        x, y = chance.uniform(0, 1600), chance.uniform(815, 1000)
        canvas.leaf(
            x,
            y,
            chance.uniform(30, 80),
            -math.pi / 2 + chance.uniform(-0.7, 0.7),
            _shade(chance, (52, 118, 78)),
        )
    return canvas.finish()


def _glass_hall(canvas: Canvas, left: float, floor: float, width: float, height: float) -> None:
    arch = [
        (
            left + width / 2 - width / 2 * math.cos(t),
            floor - height * 0.45 - height * 0.55 * math.sin(t),
        )
        for t in [math.pi * n / 24 for n in range(25)]
    ]
    canvas.shape([(left, floor), *arch, (left + width, floor)], (236, 248, 244, 235))
    for x, y in arch[::2]:
        canvas.line([(x, floor), (x, y)], (120, 162, 150), 4)
    canvas.line(arch, (92, 138, 124), 8)
    canvas.line(
        [(left, floor - height * 0.45), (left + width, floor - height * 0.45)], (92, 138, 124), 6
    )


def ferns(chance: random.Random) -> Pillow.Image:
    """Fronds in the shade of the fern house."""
    canvas = Canvas((14, 48, 38), (8, 26, 24))
    for _number in range(45):
        canvas.disc(
            chance.uniform(0, 1600),
            chance.uniform(0, 700),
            chance.uniform(8, 46),
            (120, 190, 140, 26),
        )
    for depth in range(3):
        for _number in range(8):
            _frond(canvas, chance, depth)
    return canvas.finish()


def _frond(canvas: Canvas, chance: random.Random, depth: int) -> None:
    x, y = chance.uniform(-50, 1650), 1060.0
    angle, turn = -math.pi / 2 + chance.uniform(-0.5, 0.5), chance.uniform(-0.03, 0.03)
    colour = _shade(chance, [(28, 84, 60), (48, 122, 80), (104, 176, 108)][depth])
    for step in range(34):
        length = 150 * math.sin(math.pi * (1 - step / 36) ** 1.2) * (0.7 + depth * 0.2) + 8
        canvas.leaf(x, y, length, angle - 1.05, colour)
        canvas.leaf(x, y, length, angle + 1.05, colour)
        x, y, angle = x + 22 * math.cos(angle), y + 22 * math.sin(angle), angle + turn


def pond(chance: random.Random) -> Pillow.Image:
    """Water lilies seen from the bridge."""
    canvas = Canvas((52, 126, 134), (18, 66, 84))
    for _number in range(60):
        x, y, half = chance.uniform(0, 1600), chance.uniform(0, 1000), chance.uniform(40, 150)
        canvas.line([(x - half, y), (x + half, y)], (190, 230, 228, 40), 3)
    for _number in range(34):
        x, y, radius = chance.uniform(0, 1600), chance.uniform(40, 960), chance.uniform(45, 125)
        _lily_pad(canvas, (x, y), radius, chance.uniform(0, 6.28), _shade(chance, (70, 146, 92)))
        if chance.random() < 0.4:
            colour = chance.choice([(250, 226, 234), (240, 160, 186), (255, 250, 240)])
            canvas.blossom(x, y, radius * 0.7, colour, petals=12)
    return canvas.finish()


def _lily_pad(canvas: Canvas, centre: Point, radius: float, notch: float, colour: Colour) -> None:
    x, y = centre
    rim = [notch + 0.25 + (2 * math.pi - 0.5) * n / 48 for n in range(49)]
    canvas.shape(
        [
            (x + 8, y + 10),
            *[(x + 8 + radius * math.cos(t), y + 10 + radius * math.sin(t)) for t in rim],
        ],
        (8, 40, 50, 90),
    )
    canvas.shape(
        [(x, y), *[(x + radius * math.cos(t), y + radius * math.sin(t)) for t in rim]], colour
    )


def meadow(chance: random.Random) -> Pillow.Image:
    """The wildflower meadow in June."""
    canvas = Canvas((150, 204, 232), (236, 246, 232))
    for x, y in ((300, 190), (1120, 130)):
        for number in range(5):
            canvas.disc(x + number * 52, y, 66 - 14 * abs(number - 2), (252, 254, 255))
    canvas.hill(470, 36, (158, 200, 140), 1.2)
    canvas.hill(590, 26, (122, 178, 104), 3.0)
    colours = [(226, 84, 72), (246, 214, 94), (122, 110, 206), (250, 246, 240), (236, 130, 170)]
    for number in range(260):
        y = 620 + number * 1.45
        x, size = chance.uniform(-20, 1620), 12 + number / 8
        canvas.line([(x, y), (x + chance.uniform(-20, 20), y + size * 4.5)], (64, 126, 70), 3)
        canvas.blossom(x, y, size, _shade(chance, chance.choice(colours)))
    return canvas.finish()


def autumn(chance: random.Random) -> Pillow.Image:
    """Maples along the long walk."""
    canvas = Canvas((236, 224, 206), (250, 238, 216))
    canvas.hill(600, 30, (206, 180, 130), 2.2)
    canvas.hill(720, 16, (150, 136, 84), 0.6)
    canvas.shape([(700, 1000), (790, 700), (840, 700), (1020, 1000)], (228, 210, 176))
    for distance in range(5):
        reach = 0.35 + distance * 0.2
        for side in (-1, 1):
            _maple(canvas, chance, 815 + side * (90 + 640 * reach * 0.9), 690 + 190 * reach, reach)
    return canvas.finish()


def _maple(canvas: Canvas, chance: random.Random, x: float, y: float, size: float) -> None:
    canvas.line([(x, y), (x, y - 280 * size)], (84, 58, 44), 26 * size)
    for _number in range(90):
        angle, far = chance.uniform(0, 6.28), 190 * size * chance.random() ** 0.5
        colour = _shade(chance, chance.choice([(206, 84, 44), (224, 140, 52), (176, 54, 44)]))
        canvas.disc(
            x + far * math.cos(angle),
            y - 340 * size + far * 0.85 * math.sin(angle),
            34 * size,
            colour,
        )


def seedlings(chance: random.Random) -> Pillow.Image:
    """Pots on the potting bench."""
    canvas = Canvas((244, 236, 222), (226, 208, 184))
    canvas.shape([(0, 790), (1600, 790), (1600, 1000), (0, 1000)], (142, 102, 72))
    canvas.shape([(0, 790), (1600, 790), (1600, 815), (0, 815)], (172, 128, 92))
    for number in range(6):
        x = 170 + number * 252
        if number % 2:
            canvas.line([(x, 600), (x + 10, 400)], (84, 140, 80), 7)
        for _leaf in range(9):
            canvas.leaf(
                x,
                590,
                chance.uniform(120, 260),
                -math.pi / 2 + chance.uniform(-1.1, 1.1),
                _shade(chance, (84, 150, 86)),
            )
        canvas.shape([(x - 88, 600), (x + 88, 600), (x + 64, 790), (x - 64, 790)], (194, 104, 72))
        canvas.shape([(x - 98, 570), (x + 98, 570), (x + 98, 612), (x - 98, 612)], (210, 122, 86))
        if number % 2:
            canvas.blossom(
                x + 10, 400, 62, chance.choice([(236, 130, 170), (250, 246, 240), (122, 110, 206)])
            )
    return canvas.finish()


def _shade(chance: random.Random, colour: Colour) -> Colour:
    shift = chance.uniform(-16, 16)
    red, green, blue = (max(0, min(255, round(part + shift))) for part in colour)
    return red, green, blue


DRAWINGS: dict[str, tuple[str, Callable[[random.Random], Pillow.Image]]] = {
    "glasshouse": ("The glasshouse in the morning", glasshouse),
    "ferns": ("Fern fronds in the shade", ferns),
    "pond": ("Water lilies on the pond", pond),
    "meadow": ("Wildflower meadow in June", meadow),
    "autumn": ("Maples along the long walk", autumn),
    "seedlings": ("Pots on the potting bench", seedlings),
}


def draw_pictures() -> dict[str, Image]:
    """Draw and store every picture; returns the Wagtail images by short name."""
    return {name: _store(name, title, draw) for name, (title, draw) in DRAWINGS.items()}


def _store(name: str, title: str, draw: Callable[[random.Random], Pillow.Image]) -> Image:
    file = BytesIO()
    picture = draw(random.Random(name)).filter(ImageFilter.SMOOTH)
    picture.save(file, "JPEG", quality=88)
    image = Image(title=title, file=ContentFile(file.getvalue(), name=f"{name}.jpg"))
    image.save()
    return image
