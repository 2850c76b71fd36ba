"""Looking for barriers with axe-core, which comes with the package ``axe-playwright-python``."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

OURS = [
    ".wei-page",
    ".wei-report",
    "[data-wei-live]",
    ".wei-log .listing",
    ".wei-log-actions",
    ".wei-log-filter",
]
"""Only our part of a page: what Wagtail draws around it is Wagtail's to mend."""

RUN = """([ours, rules]) => axe.run(
    {include: ours.filter((selector) => document.querySelector(selector)).map((s) => [s])},
    {rules, resultTypes: ["violations"]},
)"""


UNFOLD = """(ours) => document.querySelectorAll(ours.join()).forEach((our) => {
    const folded = [our.closest('details'), ...our.querySelectorAll('details')];
    folded.filter(Boolean).forEach((details) => { details.open = true; });
})"""
"""What is folded is hidden from axe, and some of it is fetched only when it is opened."""

IS_FETCHED = """(ours) => ![...document.querySelectorAll(ours.join())].some((our) =>
    our.querySelector('details [data-wei-once], details [data-wei-live][aria-busy=true]'))"""


def barriers(page: Any, *, ours: list[str] | None = None) -> list[str]:
    """Return each violation on the page, unfolded, in a line: rule, where, and what is wrong."""
    page.evaluate(UNFOLD, ours or OURS)
    page.wait_for_function(IS_FETCHED, arg=ours or OURS)
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text()
    page.evaluate(source)
    found = page.evaluate(RUN, [ours or OURS, {}])
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
