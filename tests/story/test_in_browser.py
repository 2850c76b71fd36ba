"""The same way round as an editor and two readers see it, in a real headless Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from wagtail import VERSION as WAGTAIL_VERSION

from tests.processes import CaughtMail, MailServer, Site
from tests.story.stage import EDITOR, PASSWORD
from tests.story.visitor import BROWSER
from wagtail_email_insights.subscriptions.forms import MIN_SECONDS

playwright = pytest.importorskip("playwright.sync_api")
Browser, BrowserContext, Page = playwright.Browser, playwright.BrowserContext, playwright.Page
expect = playwright.expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ANN = "ann@readers.example"
BOB = "bob@readers.example"
EMAILS = "/admin/email-insights/emails"
WATCH = "addEventListener('w-unsaved:watch-edits', () => { window.watchesEdits = true })"
LIVE = 10_000
"""How many milliseconds a figure may take to reach an open screen."""
SENDING = 30_000


class People:
    """Everybody at a screen, and what their browsers complained about."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.browser = browser
        self.site = site
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []

    def somebody(self) -> Page:
        """Return the empty screen of somebody new."""
        # Chromium's own name says "headless", which counts as a program.
        context = self.browser.new_context(
            base_url=self.site.url, user_agent=BROWSER, viewport={"width": 1440, "height": 1000}
        )
        self.contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        return page

    def editor(self) -> Page:
        page = self.somebody()
        page.goto("/admin/login/")
        page.locator("[name=username]").fill(EDITOR)
        page.locator("[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{self.site.url}/admin/")
        return page

    def leave(self) -> None:
        for context in self.contexts:
            context.close()

    def _note_console(self, message) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.location.get('url')}: {message.text}")


@pytest.fixture
def people(browser: Browser, site: Site) -> Iterator[People]:
    people = People(browser, site)
    yield people
    people.leave()
    assert not people.complaints


def test_the_whole_story(people: People, inbox: MailServer, site: Site):
    offer = f"{site.url}/offer/?colour=green&size=2"
    ann = subscribe(people, inbox, ANN, agrees=True)
    bob = subscribe(people, inbox, BOB, agrees=False)

    editor = people.editor()
    write_email(editor, "Spring offer", offer)
    press(editor, "Save and send…")
    send_to_news(editor)
    expect(editor.locator("[data-wei-done]")).to_contain_text("of 2 sent", timeout=SENDING)

    open_email(editor, "Spring offer")
    expect(editor.get_by_text("has been sent and cannot be edited").first).to_be_visible()
    statistics = open_panel(editor, "statistics")
    clicked = statistics.locator("[data-figure=clicked]")
    expect(clicked).to_contain_text("0 of 2")
    read_and_click(ann, inbox.wait_for(ANN, number=2), offer)
    read_and_click(bob, inbox.wait_for(BOB, number=2), offer)
    expect(clicked).to_contain_text("2 of 2", timeout=LIVE)

    activities = open_panel(editor, "activities")
    rows = activities.locator(".wei-feed tbody tr").filter(has_text="Click")
    expect(rows).to_have_count(1, timeout=LIVE)
    expect(rows).to_contain_text(ANN)
    expect(rows).to_contain_text(offer)
    read_and_click(ann, inbox.wait_for(ANN, number=2), offer)
    expect(rows).to_have_count(2, timeout=LIVE)
    expect(activities).not_to_contain_text(BOB)


@pytest.mark.skipif(WAGTAIL_VERSION < (8, 0), reason="autosave came with Wagtail 8")
def test_autosave_of_a_new_and_of_an_existing_email(people: People):
    editor = people.editor()
    editor.goto(f"{EMAILS}/add/")
    wait_for_watcher(editor)
    editor.locator("[name=title]").fill("Kept by itself")
    with autosave_of(editor):
        editor.locator("[name=subject]").fill("First subject")
    expect(editor).to_have_url(re.compile(r"/edit/\d+/"))

    open_email(editor, "Kept by itself")
    wait_for_watcher(editor)
    with autosave_of(editor):
        editor.locator("[name=subject]").fill("Second subject")
    with autosave_of(editor):
        add_block(editor, "Heading", text="Hello again")
    editor.reload()
    expect(editor.locator("[name=title]")).to_have_value("Kept by itself")
    expect(editor.locator("[name=subject]")).to_have_value("Second subject")
    expect(editor.locator("[name=body-0-value-text]")).to_have_value("Hello again")
    open_panel(editor, "statistics")
    open_panel(editor, "activities")


def subscribe(people: People, inbox: MailServer, address: str, *, agrees: bool) -> Page:
    """Fill in the form and confirm from the mail; returns the reader's screen."""
    page = people.somebody()
    page.goto("/welcome/")
    page.get_by_label("E-mail address").fill(address)
    if agrees:
        page.locator("[name=agrees]").check()
    # Whoever is faster than a person is taken for a program.
    page.wait_for_timeout(MIN_SECONDS * 1000 + 100)
    page.get_by_role("button", name="Subscribe").click()
    expect(page).to_have_url(re.compile("/check-your-mail/$"))

    page.goto(link_with("/email/confirm/", inbox.wait_for(address).html))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
    return page


def write_email(page: Page, title: str, offer: str) -> None:
    page.goto(f"{EMAILS}/add/")
    page.locator("[name=title]").fill(title)
    page.locator("[name=subject]").fill(title)
    add_block(page, "Heading", text="Hello")
    add_block(page, "Button", text="See it", url=offer)


def add_block(page: Page, name: str, **fields: str) -> None:
    """Add a block at the end of the body and fill in its fields."""
    body = page.locator("#panel-child-body-section, #panel-body-section").first
    number = body.locator("[data-streamfield-child]").count()
    body.get_by_title("Insert a block").last.click()
    page.get_by_role("option", name=name).first.click()
    for field, value in fields.items():
        page.locator(f"[name=body-{number}-value-{field}]").fill(value)


def press(page: Page, name: str) -> None:
    """Press a button at the foot of the editor, wherever in its menu it is."""
    button = page.locator("footer").get_by_role("button", name=name)
    if not button.is_visible():
        page.locator("footer").get_by_role("button", name="More actions").click()
    button.click()


def send_to_news(page: Page) -> None:
    page.get_by_label("News").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("2 people will get this e-mail")).to_be_visible()
    page.get_by_role("button", name="Send it now").click()


def open_email(page: Page, title: str) -> None:
    page.goto(f"{EMAILS}/")
    page.get_by_role("link", name=title, exact=True).first.click()
    expect(page.locator("[name=title]")).to_have_value(title)


def open_panel(page: Page, name: str) -> playwright.Locator:
    page.locator(f"[data-side-panel-toggle={name}]").click()
    panel = page.locator(f"[data-side-panel={name}]")
    expect(panel).to_be_visible()
    return panel


def read_and_click(page: Page, mail: CaughtMail, destination: str) -> None:
    """Open the mail and click its button, as a web mailer shows it."""
    page.route("**/webmail/", lambda route: route.fulfill(body=mail.html, content_type="text/html"))
    page.goto("/webmail/")
    page.get_by_role("link", name="See it").click()
    expect(page).to_have_url(destination)


def wait_for_watcher(page: Page) -> None:
    """Wait until Wagtail looks for edits: what is typed before that counts as there already."""
    page.wait_for_function("window.watchesEdits")


@contextmanager
def autosave_of(page: Page) -> Iterator[None]:
    """Wait until what is typed in this block has been saved, and the editor was told so."""

    def is_autosave(answer: playwright.Response) -> bool:
        return answer.request.method == "POST" and f"{EMAILS}/" in answer.url

    with page.expect_response(is_autosave) as saved:
        yield
    assert saved.value.json()["success"]
    indicator = page.locator("#w-autosave-indicator")
    expect(indicator).to_have_attribute("data-w-autosave-state-value", "saved")


def link_with(path: str, html: str) -> str:
    found = re.search(rf'href="(http[^"]*{path}[^"]*)"', html)
    assert found, html
    return found[1]
