"""The e-mail in a browser: HTTP in, HTTP out."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from .. import tokens
from ..tokens import Kind, TokenError
from ..tracking import pages, responses
from ..tracking.noting import note
from . import web_version as versions

UNSUBSCRIBE_NOTE = "wagtail_email_insights/sending/unsubscribe_note.html"
POLICY = (
    "sandbox allow-downloads allow-popups allow-popups-to-escape-sandbox; "
    "script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing in it runs and nothing of the site is within its reach, whatever an e-mail holds."""


@transaction.non_atomic_requests
@require_safe
def web_version(request: HttpRequest, token: str) -> HttpResponse:
    """Show the mailing that the token stands for and note it.

    404 for a bad token and an erased mailing, 503 while the database is away.
    """
    try:
        signed = tokens.read(token, Kind.WEB_VERSION, Kind.WEB_VERSION_ANONYMOUS)
        content = versions.content_of(signed)
        document = versions.document(content, signed)
    except (TokenError, versions.NoSuchVersion):
        return responses.not_found()
    except (OperationalError, InterfaceError):
        return responses.not_now()
    if versions.is_counted(content, signed):
        note(request, signed)
    return HttpResponse(document, headers=responses.PRIVATE | {"Content-Security-Policy": POLICY})


@require_safe
def unsubscribe_note(request: HttpRequest) -> HttpResponse:
    """Say where the unsubscribe link that works is: in the reader's own mail."""
    return pages.page(request, UNSUBSCRIBE_NOTE)
