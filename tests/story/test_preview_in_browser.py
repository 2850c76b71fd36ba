"""The preview beside the editor in a real Chromium: it shows the mail, and nothing in it runs."""

from __future__ import annotations

import pytest

from tests.processes import Site
from tests.story.test_in_browser import (  # noqa: F401 - fixtures
    People,
    add_block,
    open_email,
    open_panel,
    people,
    playwright,
    wait_for_watcher,
)

expect = playwright.expect
UPDATED = 20_000
"""How many milliseconds the preview may take to follow what was typed."""
pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOSTILE = """
from tests.factories import make_email
link = "{{ x|default:'javascript:parent.document.title=document.title=String(1234)' }}"
body = f\"\"\"<p><a href="{link}">Click me</a> <a target="_blank" href="{link}">Or me</a></p>\"\"\"
text = '<p style="height:3000px">Long</p>'
make_email("Hostile", body=[("rich_text", body), ("raw_html", text)])
"""


@pytest.fixture
def hostile(site: Site) -> None:
    site.shell(HOSTILE)


def test_the_preview_follows_the_editor_and_runs_nothing(people: People, hostile: None):  # noqa: F811
    editor = people.editor()
    open_email(editor, "Hostile")
    wait_for_watcher(editor)
    panel = open_panel(editor, "preview")
    shown = panel.frame_locator("#w-preview-iframe")
    expect(shown.get_by_text("Click me")).to_be_visible(timeout=UPDATED)
    add_block(editor, "Heading", text="Written just now")
    expect(shown.get_by_text("Written just now")).to_be_attached(timeout=UPDATED)

    for name in ("Click me", "Or me"):
        shown.get_by_text(name).click()
    assert "1234" not in editor.title()

    with editor.context.expect_page() as opened:
        panel.get_by_role("link", name="Preview in new tab").click()
    page = opened.value
    expect(page.get_by_text("Written just now")).to_be_attached()
    page.get_by_text("Click me").click()
    assert "1234" not in page.title()
