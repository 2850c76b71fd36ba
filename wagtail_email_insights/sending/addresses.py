"""Absolute addresses of our public endpoints, for e-mails."""

from __future__ import annotations

from functools import cache

from django.urls import reverse

_TOKEN = "TOKEN"  # noqa: S105  a placeholder in an address


class Addresses:
    """Addresses around a token, below the base URL of a mailing; resolved once."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")

    def unsubscribe(self, token: str) -> str:
        return token.join(self.around("unsubscribe"))

    def one_click(self, token: str) -> str:
        return token.join(self.around("unsubscribe_one_click"))

    def around(self, name: str) -> tuple[str, str]:
        """Return what stands before and after the token in the address *name*."""
        before, after = _path_around(name)
        return self.base_url + before, after


@cache
def _path_around(name: str) -> tuple[str, str]:
    path = reverse(f"wagtail_email_insights:{name}", args=[_TOKEN])
    before, _, after = path.rpartition(_TOKEN)
    return before, after
