"""Mails to colleagues: how the e-mails do, and what looks wrong."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse

from .. import mail
from ..emails.models import Email
from ..site_settings.models import EmailSettings
from ..site_settings.queries import base_url, sender

logger = logging.getLogger(__name__)

TEMPLATES = "wagtail_email_insights/statistics/mails"
OVERVIEW = "email_overview:index"
# RFC 3834: keeps holiday notices and other auto-responders from answering.
HEADERS = {"Auto-Submitted": "auto-generated"}


def send_to_colleagues(
    name: str, subject: str, context: dict[str, Any], settings_of_site: EmailSettings
) -> int:
    """Send the mail *name* to everybody in ``summary_to``; returns how many servers took.

    An address that is refused is logged and does not keep the others from theirs.
    """
    subject = " ".join(subject.split())
    context = {
        **context,
        "subject": subject,
        "site_name": _site_name(settings_of_site),
        "overview_url": _whole(OVERVIEW, settings_of_site),
        "settings_url": _settings_url(settings_of_site),
    }
    text = render_to_string(f"{TEMPLATES}/{name}.txt", context).strip() + "\n"
    html = render_to_string(f"{TEMPLATES}/{name}.html", context)
    from_email = sender(settings_of_site.site)
    taken = 0
    for address in settings_of_site.summary_addresses:
        try:
            mail.send_transactional(
                subject=subject,
                text=text,
                html=html,
                to=address,
                from_email=from_email,
                headers=HEADERS,
            )
            taken += 1
        except mail.MailError:
            logger.exception("%r could not be sent to %s", subject, address)
    return taken


def admin_url(view: str, settings_of_site: EmailSettings, email: Email) -> str:
    """Return the whole address of an e-mail's screen in the admin; empty where there is none."""
    try:
        name = Email.snippet_viewset.get_url_name(view)
    except AttributeError:
        return ""
    return _whole(name, settings_of_site, email.pk)


def _settings_url(row: EmailSettings) -> str:
    return _whole(
        "wagtailsettings:edit", row, row._meta.app_label, row._meta.model_name, row.site_id
    )


def _whole(name: str, settings_of_site: EmailSettings, *args: Any) -> str:
    """Return the whole address of the screen *name* in the admin; empty where there is none."""
    root = getattr(settings, "WAGTAILADMIN_BASE_URL", "") or base_url(settings_of_site.site)
    try:
        return root.rstrip("/") + reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _site_name(settings_of_site: EmailSettings) -> str:
    site = settings_of_site.site
    return site.site_name or site.hostname
