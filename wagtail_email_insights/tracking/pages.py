"""What every public page of the app carries: strict headers, and the name of the site."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.templatetags.static import static
from wagtail.models import Site

STYLESHEET = "wagtail_email_insights/public.css"


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Return *template* as a public page of the site that was asked."""
    context["site_name"] = site_name(Site.find_for_request(request))
    response = render(request, template, context, status=status)
    harden(response)
    return response


def site_name(site: Site | None) -> str:
    """Return what people know *site* by; empty when there is none."""
    return (site.site_name or site.hostname) if site else ""


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
