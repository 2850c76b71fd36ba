"""Take the pictures of the documentation from a running demonstration.

    make demo
    .venv/bin/python docs/screenshots.py [--address http://127.0.0.1:8000]

Needs Playwright from the ``dev`` extra and Chromium. Leaves a test mail in the inbox and a mailing
in the state "draft" behind; nothing else is sent.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).resolve().parent / "images"
SIZE = {"width": 1440, "height": 900}
ADMIN = "/admin/email-insights"
EMAILS = f"{ADMIN}/emails"
COLOURS = 128
# Chromium without a window calls itself "HeadlessChrome", which is a machine to the app.
AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--address", default="http://127.0.0.1:8000")
    parser.add_argument("--into", type=Path, default=IMAGES, help="folder for the pictures")
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(
            base_url=options.address, viewport=SIZE, user_agent=AGENT, color_scheme="light"
        )
        log_in(page)
        for name, go_there in SCREENS.items():
            go_there(page)
            save(page, options.into / f"{name}.png")
        browser.close()


def log_in(page: Page) -> None:
    page.goto("/admin/login/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "demo")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")


def editor(page: Page) -> None:
    page.goto(f"{EMAILS}/edit/{newest(page, 'Draft')}/")
    page.wait_for_selector("[data-streamfield-child]")


def statistics_panel(page: Page) -> None:
    page.goto(f"{EMAILS}/edit/{newest(page, 'Sent')}/")
    open_panel(page, "Toggle statistics")
    page.wait_for_selector("[data-wei-live]:not([aria-busy=true])")


def statistics(page: Page) -> None:
    page.goto(f"{EMAILS}/statistics/{newest(page, 'Sent')}/")


def click_map(page: Page) -> None:
    """Show the part of the e-mail in which the links are."""
    page.goto(f"{EMAILS}/statistics/{newest(page, 'Sent')}/map/")
    frame = page.frame_locator(".wei-map__frame")
    frame.locator(".wei-badge").first.wait_for()
    frame.locator(".wei-badge").last.scroll_into_view_if_needed()


def overview(page: Page) -> None:
    page.goto(f"{ADMIN}/overview/")


def tracking_check(page: Page) -> None:
    page.goto(f"{ADMIN}/tracking-check/")


def activities(page: Page) -> None:
    page.goto(f"{EMAILS}/activities/{newest(page, 'Sent')}/")


def send(page: Page) -> None:
    page.goto(f"{EMAILS}/send/{newest(page, 'Draft')}/")
    for box in page.locator("input[name=recipient_lists]").all()[:1]:
        box.check()


def review(page: Page) -> None:
    send(page)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/mailing/**")


def segments(page: Page) -> None:
    page.goto(f"{ADMIN}/segments/")
    page.locator("table a[href*='/edit/']").first.click()
    page.wait_for_load_state("networkidle")


def contacts(page: Page) -> None:
    page.goto(f"{ADMIN}/contacts/")


def inbox(page: Page) -> None:
    """Open the newest mail, a test sent for the purpose."""
    send(page)
    page.get_by_role("button", name="Send a test").click()
    page.wait_for_url("**/send/**")
    page.goto("/inbox/")
    page.get_by_text("[Test]").first.click()
    page.wait_for_selector("iframe")


def subscribe(page: Page) -> None:
    page.goto("/email/subscribe/garden-letter/")


SCREENS: dict[str, Callable[[Page], None]] = {
    "editor": editor,
    "statistics-panel": statistics_panel,
    "statistics": statistics,
    "click-map": click_map,
    "activities": activities,
    "overview": overview,
    "tracking-check": tracking_check,
    "send": send,
    "review": review,
    "segment": segments,
    "contacts": contacts,
    "inbox": inbox,
    "subscribe": subscribe,
}


def newest(page: Page, state: str) -> str:
    """Return the number of the newest e-mail whose row says *state*."""
    here = page.url
    page.goto(f"{EMAILS}/")
    row = page.locator("tbody tr", has=page.get_by_text(state, exact=True)).first
    address = row.locator("a[href*='/edit/']").first.get_attribute("href") or ""
    page.goto(here)
    found = re.search(r"/edit/(\d+)/", address)
    if found is None:
        raise LookupError(f"no e-mail is in the state {state!r}")
    return found[1]


def open_panel(page: Page, label: str) -> None:
    toggle = page.get_by_role("button", name=label)
    if toggle.get_attribute("aria-expanded") != "true":
        toggle.click()


def save(page: Page, path: Path) -> None:
    """Write the window with few colours: a screen looks the same and weighs a third."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
