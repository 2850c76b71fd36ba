"""The few mails that belong to a subscription; each is one text and one plain HTML part.

Nothing a visitor typed stands in them except the address they go to: a form that mails strangers
must not carry a stranger's words.
"""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from wagtail.models import Site

from .. import mail
from ..contacts.models import Contact, RecipientList, Subscription
from ..site_settings.queries import sender
from ..tracking.pages import site_name
from .confirmations import Confirmation

TEMPLATES = "wagtail_email_insights/subscriptions/mails"
# RFC 3834: keeps holiday notices and other auto-responders from answering.
HEADERS = {"Auto-Submitted": "auto-generated"}


def send_confirmation(confirmation: Confirmation, site: Site | None) -> None:
    """Ask the owner of the address whether they want to be on the list."""
    subject = _("Please confirm: %(list)s")
    _send_about("confirm", subject, confirmation, site, url=confirmation.url(site))


def send_standing(confirmation: Confirmation, site: Site | None) -> None:
    """Tell a subscribed contact that they are; with a link if a consent waits to be confirmed."""
    url = confirmation.url(site) if confirmation.lacks_consent else ""
    subject = _("You are subscribed: %(list)s")
    _send_about("standing", subject, confirmation, site, url=url)


def send_welcome(subscription: Subscription, site: Site | None) -> None:
    _send_about("welcome", _("Welcome: %(list)s"), Confirmation(subscription), site)


def send_goodbye(contact: Contact, lists: list[RecipientList], site: Site | None) -> None:
    context = {"lists": lists, "site_name": site_name(site)}
    _send("goodbye", _("You have been unsubscribed"), contact.email, site, context)


def _send_about(
    name: str, subject: str, confirmation: Confirmation, site: Site | None, *, url: str = ""
) -> None:
    recipient_list = confirmation.subscription.recipient_list
    context = {
        "recipient_list": recipient_list,
        "version": confirmation.version,
        "url": url,
        "site_name": site_name(site),
    }
    to = confirmation.subscription.contact.email
    _send(name, subject % {"list": recipient_list.name}, to, site, context)


def _send(name: str, subject: str, to: str, site: Site | None, context: dict[str, Any]) -> None:
    subject = " ".join(subject.split())
    mail.send_transactional(
        subject=subject,
        text=render_to_string(f"{TEMPLATES}/{name}.txt", context).strip() + "\n",
        html=render_to_string(f"{TEMPLATES}/{name}.html", {**context, "subject": subject}),
        to=to,
        from_email=sender(site),
        headers=HEADERS,
    )
