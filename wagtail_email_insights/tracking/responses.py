"""The answers of the public endpoints: nothing of the host's templates, no database."""

from __future__ import annotations

import base64

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

# The smallest GIF that every mail client draws as nothing: 1×1, transparent, 43 bytes.
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

PRIVATE = {
    "Cache-Control": "no-store, private",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


class TrackedRedirect(HttpResponseRedirect):
    """A redirect to a destination that came from our own table; any web address will do."""

    allowed_schemes = ["http", "https"]

    def __init__(self, url: str) -> None:
        super().__init__(url, headers=PRIVATE)


def pixel(status: int = 200) -> HttpResponse:
    """Return the open pixel, never to be cached; whatever the status, mail clients draw nothing."""
    return HttpResponse(PIXEL, content_type="image/gif", status=status, headers=PRIVATE)


def not_found() -> HttpResponse:
    """Return a plain 404 page that tells nothing and costs nothing."""
    return _page(
        _("This link does not work"),
        _("It may have been cut off. Please open it again from the e-mail itself."),
        status=404,
    )


def not_now() -> HttpResponse:
    """Return a plain 503 page: where the link leads cannot be looked up this moment."""
    response = _page(
        _("One moment, please"),
        _("This link cannot be followed right now. Please try again in a minute."),
        status=503,
    )
    response["Retry-After"] = "30"
    return response


def _page(title: str, text: str, *, status: int) -> HttpResponse:
    return HttpResponse(
        "<!doctype html><html><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>",
        status=status,
        headers=PRIVATE | {"Content-Security-Policy": "default-src 'none'; base-uri 'none'"},
    )
