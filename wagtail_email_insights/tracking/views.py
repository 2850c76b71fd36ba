"""The two addresses that stand in e-mails: a tracked link and the open pixel.

The reader is served first. Whatever goes wrong while recording, a known link redirects and the
pixel is a pixel. That is why neither view takes part in ``ATOMIC_REQUESTS``: an event that is
refused when the request's transaction ends would cost the reader their page.
"""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from .. import tokens
from ..tokens import Kind, TokenError
from . import recording, responses
from .links import UnknownLink, destination
from .verdicts import Judgement, is_lookahead, judge_user_agent


@transaction.non_atomic_requests
@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """Send the reader of a tracked link to its destination and note the click."""
    try:
        signed = tokens.read(token, Kind.CLICK, Kind.CLICK_ANONYMOUS)
        target = destination(signed.values[0])
    except (TokenError, UnknownLink):
        return responses.not_found()
    if not _looks_ahead(request):
        recording.record(recording.observe_click(signed, target, _judge(request)))
    return responses.TrackedRedirect(target.url)


@transaction.non_atomic_requests
@require_safe
def open_pixel(request: HttpRequest, token: str) -> HttpResponse:
    """Answer with the pixel, whatever fails, and note the open; 404 for a bad token."""
    try:
        signed = tokens.read(token, Kind.OPEN, Kind.OPEN_ANONYMOUS)
    except TokenError:
        return responses.pixel(status=404)
    if not _looks_ahead(request):
        recording.record(recording.observe_open(signed, _judge(request)))
    return responses.pixel()


def _looks_ahead(request: HttpRequest) -> bool:
    return is_lookahead(request.method or "", request.headers)


def _judge(request: HttpRequest) -> Judgement:
    agent = request.headers.get("User-Agent", "")
    return judge_user_agent(agent, request.method or "GET", request.headers)
