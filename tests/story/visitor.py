"""Somebody with a browser, as far as plain HTTP can be one: cookies, forms and a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag

# Anything that named itself a program would be counted as one.
BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
SECONDS = 30


class Page:
    """One answer, with its forms ready to be filled in."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.url = response.url
        self.soup = BeautifulSoup(response.text, "html.parser")

    @property
    def text(self) -> str:
        """What can be read, with single spaces."""
        return " ".join(self.soup.get_text(" ").split())

    def form(self, selector: str = "form") -> Tag:
        found = self.soup.select_one(selector)
        assert found, f"No {selector} on {self.url}: {self.text[:500]}"
        return found

    def label_value(self, label: str) -> str:
        """Return the value of the box or button whose label has *label* in it."""
        for tag in self.soup.find_all("label"):
            if label in tag.get_text():
                return str(self.soup.find(id=tag["for"])["value"])
        raise AssertionError(f"No label {label!r} on {self.url}")


class Visitor:
    """A session of one person on the site at *base_url*."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.session.headers["User-Agent"] = BROWSER
        # A proxy in the environment is no part of the story.
        self.session.trust_env = False

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_details: object) -> None:
        self.session.close()

    def get(self, path: str, **options: Any) -> Page:
        return Page(self.session.get(urljoin(self.base_url, path), timeout=SECONDS, **options))

    def post(self, path: str, data: Mapping[str, Any] | None = None, **options: Any) -> Page:
        url = urljoin(self.base_url, path)
        return Page(self.session.post(url, data=data, timeout=SECONDS, **options))

    def force(self, path: str, data: Mapping[str, Any]) -> Page:
        """Send a form that no page offers, as somebody does who knows the site from inside."""
        token = self.session.cookies["csrftoken"]
        headers = {"X-CSRFToken": token, "Referer": urljoin(self.base_url, path)}
        return self.post(path, data, headers=headers, allow_redirects=False)

    def submit(self, page: Page, selector: str = "form", **fields: Any) -> Page:
        """Send a form of *page* back with *fields* filled in; None leaves a field out."""
        form = page.form(selector)
        data = {**filled_in(form), **fields}
        action = urljoin(page.url, str(form.get("action") or ""))
        sent = {name: value for name, value in data.items() if value is not None}
        return self.post(action, sent, headers={"Referer": page.url})

    def log_in(self, username: str, password: str) -> None:
        page = self.submit(
            self.get("/admin/login/"), "form.login-form", username=username, password=password
        )
        assert page.url == urljoin(self.base_url, "/admin/"), page.text


def filled_in(form: Tag) -> dict[str, Any]:
    """Return what a browser would send if nobody touched *form*."""
    data: dict[str, Any] = {}
    for field in form.find_all(["input", "textarea", "select"]):
        name, kind = field.get("name"), field.get("type", "")
        if not name or kind in {"submit", "button", "file"}:
            continue
        if kind in {"checkbox", "radio"} and not field.has_attr("checked"):
            continue
        data[str(name)] = _value(field)
    return data


def _value(field: Tag) -> Any:
    if field.name == "textarea":
        return field.get_text()
    if field.name == "select":
        chosen = field.select_one("option[selected]") or field.find("option")
        return chosen.get("value", "") if chosen else ""
    return field.get("value", "on" if field.get("type") == "checkbox" else "")
