"""A site with figures in it, and Chromium in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.processes import MailServer, Site, running_site
from tests.story.stage import EDITOR, PASSWORD
from tests.story.visitor import BROWSER

EMAILS = "/admin/email-insights/emails"


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[Site]:
    with (
        MailServer() as inbox,
        running_site(tmp_path_factory.mktemp("browser"), inbox.port) as site,
    ):
        site.shell("from tests.browser.stage import set_up; set_up()")
        site.start_web()
        yield site


@pytest.fixture
def editor(browser, site) -> Iterator[Callable[..., object]]:
    """``editor(color_scheme="dark", width=400)`` is the screen of an editor who has logged in."""
    contexts = []

    def log_in(*, width: int = 1440, height: int = 1000, **options: object):
        # Chromium's own name says "headless", which counts as a program.
        context = browser.new_context(
            base_url=site.url,
            user_agent=BROWSER,
            viewport={"width": width, "height": height},
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.goto("/admin/login/")
        page.locator("[name=username]").fill(EDITOR)
        page.locator("[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        return page

    yield log_in
    for context in contexts:
        context.close()
