"""Where the screens of an e-mail, its mailings and a contact are."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from ..emails.models import Email
from ..mailings.models import Mailing


def email_url(name: str, email: Email, *args: str) -> str:
    """Return the admin address of the screen *name* of *email*."""
    return reverse(Email.snippet_viewset.get_url_name(name), args=[email.pk, *args])


def mailing_url(name: str, mailing: Mailing, *args: str) -> str:
    """Return the admin address of the screen *name* of *mailing*."""
    return reverse(Email.snippet_viewset.get_url_name(name), args=[mailing.pk, *args])


def contact_url(contact_id: int | None) -> str:
    """Return the address of the screen that shows one contact."""
    return reverse("email_contacts:inspect", args=[contact_id])


def tracking_check_url() -> str:
    """Return the address of the screen that tests each switch; empty where it is not installed."""
    try:
        return reverse("email_tracking_check:index")
    except NoReverseMatch:
        return ""
