from __future__ import annotations

import pytest
from django.template import Context, Template
from django.utils import translation

from wagtail_email_insights.statistics.wording import percent


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (None, "–"),
        (0, "0.0 %"),
        (1e-9, "< 0.01 %"),
        (0.00004, "< 0.01 %"),
        (0.00005, "0.01 %"),
        (4 / 10_000, "0.04 %"),
        (0.0099, "0.99 %"),
        (0.00994, "0.99 %"),
        (0.00995, "1.0 %"),
        (0.01, "1.0 %"),
        (0.1005, "10.1 %"),
        (29 / 80, "36.3 %"),
        (9_990 / 10_000, "99.9 %"),
        (9_996 / 10_000, "99.9 %"),
        (1 - 1e-12, "99.9 %"),
        (1, "100.0 %"),
        (1.25, "125.0 %"),
    ],
)
def test_nothing_is_rounded_to_none_or_to_all(rate, text):
    assert percent(rate) == text


def test_it_is_written_as_the_language_has_it():
    with translation.override("de"):
        assert percent(0.00001) == "< 0,01 %"
        assert percent(0.125) == "12,5 %"


@pytest.mark.parametrize("rate", [None, 0, 0.00001, 0.0099, 0.9996, 1])
def test_screens_write_it_like_sentences(rate):
    template = Template(
        "{% load email_insights_admin %}{% autoescape off %}{{ rate|percent }}{% endautoescape %}"
    )
    assert template.render(Context({"rate": rate})) == percent(rate)
