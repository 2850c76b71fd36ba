"""The addresses that stand in e-mails: a tracked link, the open pixel, and the trap.

The reader is served first. Whatever goes wrong while recording, a known link redirects and the
pixel is a pixel. That is why no view takes part in ``ATOMIC_REQUESTS``: a hit that is refused when
the request's transaction ends would cost the reader their page.
"""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from .. import tokens
from ..tokens import Kind, TokenError
from . import responses
from .links import NotNow, UnknownLink, destination
from .noting import note


@transaction.non_atomic_requests
@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """Send the reader of a tracked link to its destination and note the click."""
    try:
        signed = tokens.read(token, Kind.CLICK, Kind.CLICK_ANONYMOUS)
        target = destination(signed.values[0])
    except (TokenError, UnknownLink):
        return responses.not_found()
    except NotNow:
        return responses.not_now()
    note(request, signed, target)
    return responses.TrackedRedirect(target.url)


@transaction.non_atomic_requests
@require_safe
def open_pixel(request: HttpRequest, token: str) -> HttpResponse:
    """Answer with the pixel, whatever fails, and note the open; 404 for a bad token."""
    try:
        signed = tokens.read(token, Kind.OPEN, Kind.OPEN_ANONYMOUS)
    except TokenError:
        return responses.pixel(status=404)
    note(request, signed)
    return responses.pixel()


@transaction.non_atomic_requests
@require_safe
def trap(request: HttpRequest, token: str) -> HttpResponse:
    """Note that something followed a link that nobody sees, and send it to the site."""
    try:
        signed = tokens.read(token, Kind.TRAP, Kind.TRAP_ANONYMOUS)
    except TokenError:
        return responses.not_found()
    note(request, signed)
    return responses.TrackedRedirect("/")
