"""The documentation keeps up with the code: whatever it promises, names or links to exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from wagtail_email_insights import checks, wagtail_hooks
from wagtail_email_insights.admin.tracking_check import PARTS
from wagtail_email_insights.conf import AppSettings
from wagtail_email_insights.management.commands.email_insights import Command
from wagtail_email_insights.segments.registry import condition_blocks

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md"))]
MAX_IMAGE_BYTES = 250_000

LINK = re.compile(r"\]\((?!https?:|mailto:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCE = re.compile(r"^( *)```(\w[\w+]*)?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its code, in which ``#`` begins no heading and brackets are no link."""
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The anchors GitHub gives the headings of a page."""
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(prose(page)))
    return {title.strip().replace(" ", "-") for title in titles}


def settings_of_reference() -> dict[str, str]:
    text = (DOCS / "reference-settings.md").read_text()
    return dict(re.findall(r"^### (\w+)\n\nDefault: `(.+)`$", text, re.MULTILINE))


def test_every_setting_is_documented_and_no_other():
    assert set(settings_of_reference()) == AppSettings.names()


@pytest.mark.parametrize("name", sorted(AppSettings.names()))
def test_the_documented_default_of_a_setting_is_the_real_one(settings, name):
    settings.WAGTAIL_EMAIL_INSIGHTS = {}
    assert ast.literal_eval(settings_of_reference()[name]) == getattr(AppSettings(), name)


def test_every_system_check_is_documented_and_no_other():
    raised = set(re.findall(r"wagtail_email_insights\.([EW]\d{3})", source_of(checks)))
    documented = re.findall(
        r"^\| ([EW]\d{3}) \|", (DOCS / "reference-checks.md").read_text(), re.MULTILINE
    )
    assert sorted(raised) == sorted(documented)


@pytest.mark.django_db
def test_every_permission_of_our_own_is_documented():
    text = (DOCS / "reference-permissions.md").read_text()
    permissions = wagtail_hooks.register_permissions()
    assert permissions.exists()
    for permission in permissions:
        assert f"| {permission.name} | `{permission.codename}` |" in text


def test_every_sub_command_is_documented_and_no_other():
    parser = Command().create_parser("manage.py", "email_insights")
    [commands] = [action.choices for action in parser._actions if action.dest == "command"]
    titles = re.findall(r"^## (\w+)$", (DOCS / "reference-command.md").read_text(), re.MULTILINE)
    assert set(titles) == set(commands)


def test_the_tracking_check_is_documented_line_by_line():
    labels = [str(check.label) for checks_of_part in PARTS.values() for check in checks_of_part]
    text = (DOCS / "howto-tracking-check.md").read_text()
    rows = re.findall(r"^\| (.+?) \|", text.partition("## What is tried")[2], re.MULTILINE)
    assert rows[1:] == labels


def test_the_index_leads_to_every_page():
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "index.md").read_text()))
    assert linked == {page.name for page in DOCS.glob("*.md")} - {"index.md"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page):
    for match in LINK.finditer(prose(page)):
        target = (page.parent / match["path"]).resolve() if match["path"] else page
        assert target.exists(), f"{match[0]}: no such file"
        if match["anchor"]:
            assert match["anchor"] in anchors(target), f"{match[0]}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_python_example_compiles(page):
    for indent, language, code in FENCE.findall(page.read_text()):
        if language == "python":
            compile(re.sub(f"^{indent}", "", code, flags=re.MULTILINE), name_of(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_name_imported_from_the_package_exists(page):
    for indent, language, code in FENCE.findall(page.read_text()):
        if language == "python":
            import_ours(ast.parse(re.sub(f"^{indent}", "", code, flags=re.MULTILINE)))


def test_the_condition_in_the_documentation_is_one():
    """It runs as it stands, and is taken back afterwards."""
    from wagtail_email_insights.segments import registry

    [code] = [
        code
        for _indent, _language, code in FENCE.findall((DOCS / "howto-extend.md").read_text())
        if "class HasBought" in code
    ]
    try:
        exec(compile(code, "howto-extend.md", "exec"), {"__name__": "shop.conditions"})
        assert "shop_has_bought" in dict(condition_blocks())
        assert registry.get_condition("shop_has_bought").sentence({"at_least": 5})
    finally:
        registry._conditions.pop("shop_has_bought", None)


def test_pictures_are_light_and_all_are_used():
    text = "".join(page.read_text() for page in PAGES)
    for picture in DOCS.glob("images/*"):
        assert f"images/{picture.name}" in text, f"{picture.name} is shown nowhere"
        assert picture.stat().st_size < MAX_IMAGE_BYTES, f"{picture.name} is too heavy"


def source_of(module) -> str:
    return Path(module.__file__).read_text()


def import_ours(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("wagtail_email"):
            module = __import__(node.module, fromlist=["*"])
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"
