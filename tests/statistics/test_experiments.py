from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wagtail_email_insights.sending.experiments import VariantResult
from wagtail_email_insights.statistics.experiments import ENOUGH, certainty


def variants(*counts: tuple[int, int]) -> list[VariantResult]:
    return [
        VariantResult(number, "ABCD"[number - 1], "", sent=sent, opened=clicked, clicked=clicked)
        for number, (sent, clicked) in enumerate(counts, start=1)
    ]


def second_is_better(first: tuple[int, int], second: tuple[int, int]) -> float:
    """The probability in closed form: a sum of ratios of beta functions."""

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    a1, b1 = first[1] + 1, first[0] - first[1] + 1
    a2, b2 = second[1] + 1, second[0] - second[1] + 1
    return sum(
        math.exp(
            log_beta(a1 + i, b1 + b2) - math.log(b2 + i) - log_beta(1 + i, b2) - log_beta(a1, b1)
        )
        for i in range(a2)
    )


counts = st.integers(0, 3000).flatmap(lambda sent: st.tuples(st.just(sent), st.integers(0, sent)))


@settings(max_examples=60, deadline=None)
@given(counts, counts)
def test_two_variants_agree_with_the_closed_form(first, second):
    best = certainty(variants(first, second), "clicks").best
    assert best[2] == pytest.approx(second_is_better(first, second), abs=1e-3)
    assert sum(best.values()) == pytest.approx(1)


def test_several_variants_agree_with_drawing_lots():
    seen = [(100, 5), (120, 9), (90, 8), (10, 1)]
    lots, wins, turns = random.Random(1), [0] * 4, 20_000
    for _ in range(turns):
        drawn = [lots.betavariate(clicked + 1, sent - clicked + 1) for sent, clicked in seen]
        wins[drawn.index(max(drawn))] += 1
    best = certainty(variants(*seen), "clicks").best
    for number, won in enumerate(wins, start=1):
        assert best[number] == pytest.approx(won / turns, abs=0.015)


@pytest.mark.parametrize("sent", [0, 7, 5000])
def test_level_variants_are_as_probable_as_each_other(sent):
    found = certainty(variants((sent, sent // 2), (sent, sent // 2)), "clicks")
    assert found.probability == pytest.approx(0.5, abs=1e-6)
    assert not found.is_enough
    assert found.more_copies is None


def test_a_clear_difference_is_enough():
    found = certainty(variants((1000, 20), (1000, 60)), "clicks")
    assert found.leader.name == "B"
    assert found.probability > 0.999
    assert found.is_enough
    assert found.more_copies is None


def test_a_small_difference_says_what_it_would_take():
    seen = (1000, 50), (1000, 56)
    found = certainty(variants(*seen), "clicks")
    assert not found.is_enough
    assert found.more_copies
    times = (2000 + found.more_copies) / 2000
    grown = [(round(sent * times), round(clicked * times)) for sent, clicked in seen]
    assert certainty(variants(*grown), "clicks").probability == pytest.approx(ENOUGH, abs=0.01)


def test_millions_of_copies_are_no_trouble():
    found = certainty(variants((2_000_000, 40_000), (2_000_000, 41_000), (10, 0)), "clicks")
    assert 0 < found.best[2] < 1
    assert found.best[2] > found.best[1]


def test_opens_are_compared_if_they_decide():
    one = VariantResult(1, "A", "", sent=500, opened=300, clicked=1)
    two = VariantResult(2, "B", "", sent=500, opened=100, clicked=50)
    assert certainty([one, two], "opens").leader is one
    assert certainty([one, two], "clicks").leader is two
    assert certainty([one, two], "manual").leader is two


def test_more_clicks_than_copies_are_no_error():
    assert certainty(variants((3, 3), (2, 2)), "clicks").probability > 0.5
    uncertain_ones_clicked = VariantResult(2, "B", "", sent=2, opened=3, clicked=3)
    assert certainty([variants((3, 0))[0], uncertain_ones_clicked], "clicks").leader.name == "B"
