"""How sure an A/B test makes us: the probability that each variant is the best one.

Each variant's rate is unknown; what was seen makes some rates likelier than others. Starting from
"every rate is equally likely", the knowledge about a variant of which *k* in *n* copies were
clicked is a beta distribution with the parameters k + 1 and n − k + 1 (Gelman et al., Bayesian
Data Analysis, section 2.1). How probable it is that one is the largest follows by integration.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..sending.experiments import VariantResult

ENOUGH = 0.95
"""Below this probability nothing is called a difference."""

# The distance in standard deviations at which a normal distribution leaves 5 % on one side.
_Z = 1.645
_STEPS = 400
_REACH = 12
_EDGE = 1e-12


@dataclass(frozen=True)
class Certainty:
    """What a test says so far: the leading variant and how probable each is the best.

    ``more_copies`` is a rough number of further copies, all variants together, after which the
    difference seen now would be certain enough; None if there is none to speak of.
    """

    leader: VariantResult
    best: dict[int, float]
    more_copies: int | None

    @property
    def probability(self) -> float:
        """The probability that the leading variant really is the best, 0 to 1."""
        return self.best[self.leader.number]

    @property
    def is_enough(self) -> bool:
        return self.probability >= ENOUGH


def certainty(variants: Sequence[VariantResult], metric: str) -> Certainty:
    """Return how sure the results make us which variant is best by *metric*.

    Takes two variants or more; exact to about four digits, the same for the same numbers.
    """
    shapes = [_shape(variant, metric) for variant in variants]
    probabilities = _probabilities_of_being_best(shapes)
    order = sorted(range(len(variants)), key=lambda index: -probabilities[index])
    leader = order[0]
    more = None
    if probabilities[leader] < ENOUGH:
        more = _more_copies(variants, [shapes[index] for index in order[:2]])
    return Certainty(
        leader=variants[leader],
        best={
            variant.number: share for variant, share in zip(variants, probabilities, strict=True)
        },
        more_copies=more,
    )


Shape = tuple[int, int]
"""The two parameters of a beta distribution."""


def _shape(variant: VariantResult, metric: str) -> Shape:
    # An uncertain copy may be clicked without counting as sent.
    reached = min(variant.reached(metric), variant.sent)
    return reached + 1, variant.sent - reached + 1


def _probabilities_of_being_best(shapes: Sequence[Shape]) -> list[float]:
    """Return ∫ fᵢ(x) · Π Fⱼ(x) dx for each i, the Fⱼ being those of all others."""
    points = sorted({x for shape in shapes for x in _points(shape)})
    below = [_distribution(shape, points) for shape in shapes]
    shares = [_share(own, below[:index] + below[index + 1 :]) for index, own in enumerate(below)]
    total = sum(shares)
    return [share / total for share in shares]


def _share(own: Sequence[float], others: Sequence[Sequence[float]]) -> float:
    """Integrate the product of the *others* over the steps of one distribution."""
    product = [math.prod(values) for values in zip(*others, strict=True)]
    steps = zip(pairwise(own), pairwise(product), strict=True)
    return sum((after - before) * (low + high) / 2 for (before, after), (low, high) in steps)


def _points(shape: Shape) -> list[float]:
    """Return places close together where this distribution has its weight."""
    mean, deviation = _mean(shape), _deviation(shape)
    start = max(_EDGE, mean - _REACH * deviation)
    end = min(1 - _EDGE, mean + _REACH * deviation)
    return [start + (end - start) * step / _STEPS for step in range(_STEPS + 1)]


def _distribution(shape: Shape, points: Sequence[float]) -> list[float]:
    """Return the probability of lying below each of *points*."""
    density = _density(shape, points)
    total, sums = 0.0, [0.0]
    for at in range(1, len(points)):
        total += (density[at] + density[at - 1]) / 2 * (points[at] - points[at - 1])
        sums.append(total)
    return [part / total for part in sums]


def _density(shape: Shape, points: Sequence[float]) -> list[float]:
    a, b = shape
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return [math.exp(scale + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x)) for x in points]


def _mean(shape: Shape) -> float:
    return shape[0] / sum(shape)


def _deviation(shape: Shape) -> float:
    a, b = shape
    return math.sqrt(a * b / (a + b + 1)) / (a + b)


def _more_copies(variants: Sequence[VariantResult], leading: Sequence[Shape]) -> int | None:
    """Estimate from the normal approximation how many more copies the difference would take."""
    first, second = (_mean(shape) for shape in leading)
    if math.isclose(first, second, rel_tol=1e-6):
        return None
    spread = first * (1 - first) + second * (1 - second)
    needed = _Z**2 * spread / (first - second) ** 2
    missing = max(1.0, needed - min(variant.sent for variant in variants)) * len(variants)
    digits = max(0, math.floor(math.log10(missing)) - 1)
    return math.ceil(missing / 10**digits) * 10**digits
