"""Write the table "what each number means" from the figures' definitions.

    .venv/bin/python docs/make_figures_table.py

A test compares the page with the definitions, so it cannot fall behind.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "howto-read-the-figures.md"
BEGIN = "<!-- Made by docs/make_figures_table.py from statistics/definitions.py -->"
END = "<!-- End of the table -->"


def main() -> None:
    import django

    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    PAGE.write_text(with_table(PAGE.read_text()))


def with_table(page: str) -> str:
    """Return *page* with the table as it is now between the two marks."""
    before, _begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{PAGE.name} has no marks for the table")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def table() -> str:
    """Return one row per figure, in the order of the screens, in English."""
    from django.utils.translation import override

    from wagtail_email_insights.statistics.definitions import DEFINITIONS

    with override("en"):
        rows = [
            (f"**{each.label}**", each.meaning, each.of.label, each.trust) for each in DEFINITIONS
        ]
        return "\n".join(
            f"| {' | '.join(map(str, row))} |"
            for row in (
                ("number", "what it means", "share of", "how far to trust it"),
                ("---",) * 4,
                *rows,
            )
        )


if __name__ == "__main__":
    main()
