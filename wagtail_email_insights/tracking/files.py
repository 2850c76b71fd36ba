"""Followed attachments: a document of the site behind an address that an e-mail carries.

The file comes from Wagtail's own way of serving documents, so collections that need a log-in or a
password, hooks of the host and storages elsewhere work as on the site. A download counts once the
document is really served: who is asked to log in first has not opened it yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe
from wagtail.documents import get_document_model
from wagtail.documents.models import document_served
from wagtail.documents.views.serve import serve

from .. import tokens
from ..tokens import Kind, TokenError
from . import pages, responses
from .links import Destination, NotNow, UnknownLink, destination
from .noting import note

EXPIRED = "wagtail_email_insights/tracking/file_expired.html"
SERVED = "_wagtail_email_insights_served"

# The password form of a collection posts to the site, which wants to see where it came from.
AT_THE_DOOR = responses.PRIVATE | {"Referrer-Policy": "same-origin"}
# No file runs anything on our origin, whatever the host allows its documents elsewhere.
SCRIPTLESS = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}


@transaction.non_atomic_requests
@require_safe
def file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Serve the document that the token stands for and note it.

    410 once its time is over, 404 where it was deleted and for bad tokens, 503 while the database
    is away.
    """
    try:
        signed = tokens.read(token, Kind.FILE, Kind.FILE_ANONYMOUS)
        attachment = destination(signed.values[0])
        if is_over(attachment):
            return expired(request, attachment)
        response = _serve(request, attachment)
    except (TokenError, UnknownLink, Http404, FileNotFoundError):
        return responses.not_found()
    except (NotNow, OperationalError, InterfaceError):
        return responses.not_now()
    if not getattr(request, SERVED, False):
        return _add(response, AT_THE_DOOR)
    note(request, signed, attachment)
    return _add(_without_empty_encoding(response), responses.PRIVATE | SCRIPTLESS)


def is_over(attachment: Destination) -> bool:
    """Tell whether the time for which it was offered has passed."""
    return attachment.expires_at is not None and attachment.expires_at <= timezone.now()


def expired(request: HttpRequest, attachment: Destination) -> HttpResponse:
    """Return the page that says since when the file is no longer there for the reader."""
    return pages.page(request, EXPIRED, status=410, until=attachment.expires_at)


@receiver(document_served)
def remember_served(*, request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """Mark the request: Wagtail sends this after all permissions, just before the file."""
    if request is not None:
        setattr(request, SERVED, True)


def _serve(request: HttpRequest, attachment: Destination) -> HttpResponseBase:
    """Raises Http404 for a document that is gone, FileNotFoundError for a file that is."""
    document = get_document_model()._default_manager.filter(pk=attachment.document_id).first()
    if document is None:
        raise Http404
    return serve(request, document.pk, document.filename)


def _without_empty_encoding(response: HttpResponseBase) -> HttpResponseBase:
    """Drop the ``Content-Encoding: None`` that Wagtail writes for files with no encoding.

    ``wagtail.utils.sendfile`` sets the header to what it guessed, be that nothing.
    """
    if response.get("Content-Encoding") == "None":
        del response["Content-Encoding"]
    return response


def _add(response: HttpResponseBase, headers: Mapping[str, str]) -> HttpResponseBase:
    for name, value in headers.items():
        response[name] = value
    return response
