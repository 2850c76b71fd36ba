"""What the settings of a site amount to, with their fall-backs."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import parseaddr

from django.conf import settings
from wagtail.models import Site

from .models import EmailSettings, Sender


def settings_of(site: Site | None) -> EmailSettings:
    """Return the site's settings; unsaved defaults where there is no site at all."""
    return EmailSettings() if site is None else EmailSettings.for_site(site)


def base_url(site: Site | None) -> str:
    """Return what relative addresses in a mail are relative to, without a slash at the end."""
    own = settings_of(site).base_url or (site.root_url if site else "")
    return (own or getattr(settings, "WAGTAILADMIN_BASE_URL", "") or "").rstrip("/")


@dataclass(frozen=True)
class Identity:
    """Who a mail comes from; *sender* is None where only the site's own address is set."""

    from_email: str
    reply_to: str = ""
    bounce_address: str = ""
    mailer: str = ""
    sender: Sender | None = None


def identity(site: Site | None, sender: Sender | None = None) -> Identity:
    """Return *sender*, else the site's usual sender, else the site's own address."""
    own = settings_of(site)
    chosen = sender or own.default_sender
    if chosen is None:
        return Identity(_site_address(own), own.reply_to)
    return Identity(
        from_email=_formatted(chosen.from_name, chosen.from_email),
        reply_to=chosen.reply_to or own.reply_to,
        bounce_address=chosen.bounce_address,
        mailer=chosen.mailer,
        sender=chosen,
    )


def sender(site: Site | None) -> str:
    """Return the From of the site's mails, falling back to ``DEFAULT_FROM_EMAIL``.

    The name is readable, not yet encoded for the header: Django does that when it sends.
    """
    return identity(site).from_email


def _site_address(own: EmailSettings) -> str:
    default_name, default_address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    name = own.from_name or ("" if own.from_email else default_name)
    return _formatted(name, own.from_email or default_address)


def _formatted(name: str, address: str) -> str:
    return str(Address(" ".join(name.split()), addr_spec=address)) if name else address
