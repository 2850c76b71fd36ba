from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from wagtail_email_insights.statistics.definitions import BY_CODE, DEFINITIONS

ROOT = Path(__file__).resolve().parents[2]
CODES = (
    "sent delivered opened clicked click_to_open unsubscribed bounced complained replied "
    "downloaded viewed"
)


def test_the_codes_stay_what_they_are():
    assert " ".join(BY_CODE) == CODES


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.code)
def test_every_figure_says_what_it_means_and_how_far_to_trust_it(definition):
    assert str(definition.label)
    assert str(definition.meaning).endswith(".")
    assert str(definition.trust).endswith(".")
    assert str(definition.of.label)


def test_opens_are_called_approximate_and_so_is_what_divides_by_them():
    assert [each.code for each in DEFINITIONS if each.approximate] == ["opened", "click_to_open"]


def test_what_should_be_low_is_known_to_be():
    low = [each.code for each in DEFINITIONS if each.lower_is_better]
    assert low == ["unsubscribed", "bounced", "complained"]


def test_the_documentation_says_what_the_screens_say():
    """If this fails, run docs/make_figures_table.py."""
    path = ROOT / "docs" / "make_figures_table.py"
    spec = importlib.util.spec_from_file_location("make_figures_table", path)
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    page = maker.PAGE.read_text()
    assert maker.with_table(page) == page
    assert all(f"| **{each.label}** |" in page for each in DEFINITIONS)
