"""Overview, homepage, list of e-mails, findings, corrections and public pages, for everybody."""

from __future__ import annotations

import json

import pytest

from tests.browser.axe import barriers
from tests.browser.conftest import EMAILS
from tests.processes import Site
from tests.story.visitor import BROWSER

pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python")

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OVERVIEW = "/admin/email-insights/overview/"

ADMIN_PAGES = {
    "overview": f"{OVERVIEW}?scope=everything",
    "overview, nothing in these days": f"{OVERVIEW}?days=custom&start=2001-01-01&end=2001-01-02",
    "overview, cannot be read": f"{OVERVIEW}?days=custom",
    "comparison": f"{OVERVIEW}compare/?mailing=1&mailing=2&mailing=3",
    "comparison, nothing chosen": f"{OVERVIEW}compare/",
    "findings, one of them muted": f"{EMAILS}/statistics/4/",
    "link with a history": f"{EMAILS}/link/1/correct/",
    "tracking check": "/admin/email-insights/tracking-check/",
}
WITHIN_WAGTAIL = {
    "homepage": ("/admin/", "section:has(.wei-newest)"),
    "list of e-mails": (f"{EMAILS}/", "table.listing"),
}
PUBLIC_PAGES = ["unsubscribe", "on_no_list", "web_version", "unsubscribe_note", "expired_file"]
SCREENS = [pytest.param(1440, id="screen"), pytest.param(400, id="phone")]
SCHEMES = ["light", "dark"]

SCENE = """
import json
from tests.browser.stage import set_up_findings
print(json.dumps(set_up_findings()))
"""

HANGING = """() => [...document.querySelectorAll('.wei-page *, .wei-newest *')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1
        && !element.closest('.w-sr-only, svg, .wei-scroll'))
    .map((element) => element.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def addresses(site: Site) -> dict[str, str]:
    """Findings, a correction and a mailing under way; returns the public pages' addresses."""
    return json.loads(site.shell(SCENE))


@pytest.fixture
def visitor(browser, site):
    """``visitor(width=400)`` is a reader's browser, without any script."""
    contexts = []

    def come(*, width: int = 1440, **options: object):
        context = browser.new_context(
            base_url=site.url,
            user_agent=BROWSER,
            viewport={"width": width, "height": 900},
            **options,
        )
        contexts.append(context)
        return context.new_page()

    yield come
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", SCREENS)
@pytest.mark.parametrize("name", ADMIN_PAGES)
def test_an_editors_page_has_no_barriers(editor, addresses, name, width, scheme):
    page = editor(width=width, color_scheme=scheme)
    assert page.goto(ADMIN_PAGES[name]).status == 200
    assert barriers(page) == []
    assert page.evaluate(HANGING) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", SCREENS)
@pytest.mark.parametrize("name", WITHIN_WAGTAIL)
def test_what_stands_on_wagtails_own_pages_has_no_barriers(editor, addresses, name, width, scheme):
    address, ours = WITHIN_WAGTAIL[name]
    page = editor(width=width, color_scheme=scheme)
    page.goto(address)
    assert page.locator(ours).is_visible()
    assert barriers(page, ours=[ours]) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", SCREENS)
@pytest.mark.parametrize("name", PUBLIC_PAGES)
def test_a_public_page_has_no_barriers(visitor, addresses, name, width, scheme):
    page = visitor(width=width, color_scheme=scheme, bypass_csp=True)
    page.goto(addresses[name])
    # An e-mail has no landmarks, and stays as it was sent when a browser shows it.
    assert barriers(page, ours=["body > table" if name == "web_version" else "html"]) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_leaving_needs_neither_a_script_nor_a_mouse(visitor, addresses):
    page = visitor(width=400, java_script_enabled=False)
    page.goto(addresses["leaving"])
    page.get_by_label("It comes too often").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert page.locator("button:focus-visible").inner_text().startswith("Unsubscribe")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    page.get_by_role("link", name="Back to").click()
    assert "/email/" not in page.url


def test_the_overview_goes_on_counting_while_something_is_sent(editor, addresses):
    page = editor()
    page.goto(OVERVIEW)
    chosen = page.locator("[name=mailing]").first
    chosen.check()
    assert page.locator(".wei-under-way").inner_text().startswith("On its way")
    # Nothing is replaced below the hands of somebody who works in it.
    chosen.evaluate("(box) => box.blur()")
    page.evaluate("document.querySelector('[data-wei-live]').weiLast = ''")
    with page.expect_response("**/overview/figures/**"):
        pass
    page.wait_for_timeout(300)
    assert page.locator("[name=mailing]").first.is_checked()


def test_overview_on_paper_and_in_forced_colours(editor, addresses):
    page = editor()
    page.goto(OVERVIEW)
    page.emulate_media(media="print")
    assert not page.locator("#wagtail-sidebar").is_visible()
    assert not page.locator(".wei-filters").first.is_visible()
    assert page.locator("[data-figure=clicked]").is_visible()
    page.emulate_media(media="screen", forced_colors="active")
    back, bar = (
        page.locator(place).first.evaluate(f"(part) => getComputedStyle(part).{name}")
        for place, name in ((".wei-page", "color"), (".wei-trend__chart", "fill"))
    )
    assert back == bar


def test_a_time_is_asked_for_only_where_one_is_wanted_and_never_hidden_with_one_in_it(editor):
    page = editor()
    page.goto(f"{EMAILS}/send/1/")
    time = page.locator("[name='scheduled_at']")
    assert not time.is_visible()
    page.check("[name='when'][value='later']")
    assert time.is_visible()
    time.fill("2100-01-01 10:00")
    page.check("[name='when'][value='now']")
    assert time.is_visible()
    time.fill("")
    assert not time.is_visible()
