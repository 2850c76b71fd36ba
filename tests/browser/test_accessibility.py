"""Nobody is kept out of our screens: axe-core, keyboard, narrow and dark and printed."""

from __future__ import annotations

import pytest

from tests.browser.axe import barriers
from tests.browser.conftest import EMAILS

pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python")

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NEVER_SENT, READ, STRANGERS, HUGE = 1, 2, 3, 4

PAGES = {
    "statistics, never sent": f"{EMAILS}/statistics/{NEVER_SENT}/",
    "statistics": f"{EMAILS}/statistics/{READ}/?compare=3",
    "statistics, machines too": f"{EMAILS}/statistics/{READ}/?scope=everything",
    "statistics, all anonymous": f"{EMAILS}/statistics/{STRANGERS}/",
    "statistics, millions": f"{EMAILS}/statistics/{HUGE}/",
    "click map": f"{EMAILS}/statistics/{READ}/map/",
    "people": f"{EMAILS}/statistics/{READ}/people/clicked/",
    "people of one link": f"{EMAILS}/statistics/{READ}/people/clicked/?link=1",
    "people who did not": f"{EMAILS}/statistics/{READ}/people/not_clicked/",
    "people of one list": f"{EMAILS}/statistics/{READ}/people/clicked/?list=1",
    "people, all anonymous": f"{EMAILS}/statistics/{STRANGERS}/people/clicked/",
    "correct a link": f"{EMAILS}/link/1/correct/",
    "activities": f"{EMAILS}/activities/{READ}/",
    "activities, narrowed down": f"{EMAILS}/activities/{READ}/?kind=click&sort=oldest",
    "activities, all anonymous": f"{EMAILS}/activities/{STRANGERS}/",
    "a contact": "/admin/email-insights/contacts/inspect/1/",
    "activity log": "/admin/email-insights/activities/",
    "overview": "/admin/email-insights/overview/",
    "tracking check": "/admin/email-insights/tracking-check/",
}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 400)])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_barriers(editor, name, scheme, width):
    page = editor(color_scheme=scheme, width=width)
    answer = page.goto(PAGES[name])
    assert answer.status == 200
    assert barriers(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("panel", ["statistics", "activities"])
def test_a_panel_has_no_barriers(editor, panel, scheme):
    page = open_panel(editor(color_scheme=scheme), panel)
    assert barriers(page, ours=[f"[data-side-panel={panel}] [data-wei-live]"]) == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_hangs_over_the_edge_of_a_phone(editor, name):
    page = editor(width=400)
    page.goto(PAGES[name])
    hanging = page.evaluate(
        """() => [...document.querySelectorAll('.wei-page *, .wei-log .listing *')]
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 1
                && !element.closest('.w-sr-only, svg'))
            .map((element) => element.outerHTML.slice(0, 120))"""
    )
    assert hanging == []


def test_every_control_of_the_panel_is_reached_by_keyboard(editor):
    page = open_panel(editor(), "statistics")
    panel = page.locator("[data-side-panel=statistics]")
    wanted = panel.locator("[data-wei-live] :is(a[href], button, summary)").count()
    panel.get_by_role("link", name="Open as a page").focus()
    reached = set()
    for _step in range(wanted + 5):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                """() => {
                    const panel = document.querySelector('[data-side-panel=statistics]');
                    const all = [...panel.querySelectorAll(
                        '[data-wei-live] :is(a[href], button, summary)'
                    )];
                    return all.indexOf(document.activeElement);
                }"""
            )
        )
    assert reached >= set(range(wanted))


def test_what_is_unfolded_stays_so_while_figures_come_in(editor):
    page = editor()
    page.goto(PAGES["statistics"])
    page.locator("#wei-verdicts > summary").click()
    page.evaluate("document.querySelector('[data-wei-live]').weiLast = ''")
    with page.expect_response("**/fragment/**"):
        pass
    page.wait_for_timeout(300)
    assert page.locator("#wei-verdicts").evaluate("(details) => details.open")
    assert page.evaluate("document.activeElement.localName") == "summary"


def test_lists_are_fetched_when_they_are_opened(editor):
    page = editor()
    page.goto(PAGES["statistics"])
    page.locator("summary", has_text="By list").click()
    page.get_by_text("Rates are of the copies").wait_for()
    page.get_by_role("row", name="News").wait_for()
    assert barriers(page) == []
    page.get_by_role("row", name="News").get_by_role("link", name="News: who?").last.click()
    page.wait_for_url("**/people/clicked/**list=*")
    page.get_by_text("reader0@readers.example").wait_for()


def test_what_a_figure_means_is_one_key_away_in_the_panel(editor):
    page = open_panel(editor(), "statistics")
    meaning = page.locator("[data-side-panel=statistics] #wei-meaning-clicked")
    meaning.locator("summary").focus()
    page.keyboard.press("Enter")
    assert meaning.get_by_text("The most reliable sign of interest").is_visible()


def test_a_badge_of_the_click_map_leads_out_of_its_frame_to_the_contacts(editor):
    page = editor()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(PAGES["click map"])
    page.frame_locator(".wei-map__frame").locator(".wei-badge").first.click()
    page.wait_for_url("**/people/clicked/**")
    page.get_by_text("reader0@readers.example").wait_for()
    assert not [text for text in complaints if "Content Security Policy" in text]


def test_on_paper_stands_no_menu(editor):
    page = editor()
    page.goto(PAGES["statistics"])
    page.emulate_media(media="print")
    assert not page.locator("#wagtail-sidebar").is_visible()
    assert page.locator("[data-figure=clicked]").is_visible()
    assert not page.get_by_text("Among people who may be known").is_visible()
    left = page.locator(".wei-page").evaluate("(part) => part.getBoundingClientRect().left")
    assert left < 100


def open_panel(page, name: str):
    page.goto(f"{EMAILS}/edit/{READ}/")
    page.locator(f"[data-side-panel-toggle={name}]").click()
    page.locator(f"[data-side-panel={name}] [data-wei-live]:not([aria-busy=true])").first.wait_for()
    return page
