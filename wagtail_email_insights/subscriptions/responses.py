"""The headers that every public page of the app carries."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpResponseBase
from django.templatetags.static import static

STYLESHEET = "wagtail_email_insights/public.css"


def harden(response: HttpResponseBase) -> HttpResponseBase:
    """Keep *response* out of caches, search engines and frames, and scripts out of it."""
    response["Content-Security-Policy"] = content_security_policy()
    # Addresses carry tokens, so they go to no other site. "no-referrer" would be stricter, but
    # over https Django's CSRF check needs a Referer from browsers that send no Origin.
    response["Referrer-Policy"] = "same-origin"
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def content_security_policy() -> str:
    sources = " ".join(["'self'", *_static_origin()])
    return (
        f"default-src 'none'; style-src {sources}; img-src {sources}; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _static_origin() -> list[str]:
    """Return the other host that static files come from, if there is one."""
    try:
        url = urlsplit(static(STYLESHEET))
    except ValueError:  # Not collected: a page would lack its style, leaving a list must not.
        return []
    return [f"{url.scheme or 'https'}://{url.netloc}"] if url.netloc else []
