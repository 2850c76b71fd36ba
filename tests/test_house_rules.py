"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "wagtail_email_insights"
LONGEST_FUNCTION = 50
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if "migrations" not in path.relative_to(PACKAGE).parts
)


def functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def test_there_is_something_to_look_at():
    assert len(MODULES) > 80


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_function_is_long(path):
    for function in functions(path):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length < LONGEST_FUNCTION, f"{function.name} has {length} lines"


def test_no_module_has_a_name_that_says_nothing():
    empty_names = {"utils", "helpers", "misc", "common"}
    assert not [path for path in MODULES if path.stem in empty_names]


def test_no_script_or_style_stands_in_our_admin_and_public_templates():
    """Strict content security policies of hosts must not break our screens."""
    for template in PACKAGE.rglob("templates/**/*.html"):
        if template.parent.name in ("emails", "mails", "blocks") and "admin" not in template.parts:
            continue
        text = template.read_text()
        assert "<style" not in text, template
        assert " style=" not in text, template
        for part in text.split("<script")[1:]:
            assert "src=" in part.split(">")[0], template
