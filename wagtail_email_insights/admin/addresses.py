"""Where the screens of an e-mail and its mailings are."""

from __future__ import annotations

from django.urls import reverse

from ..emails.models import Email
from ..mailings.models import Mailing


def email_url(name: str, email: Email) -> str:
    """Return the admin address of the screen *name* of *email*."""
    return reverse(Email.snippet_viewset.get_url_name(name), args=[email.pk])


def mailing_url(name: str, mailing: Mailing, *args: str) -> str:
    """Return the admin address of the screen *name* of *mailing*."""
    return reverse(Email.snippet_viewset.get_url_name(name), args=[mailing.pk, *args])
