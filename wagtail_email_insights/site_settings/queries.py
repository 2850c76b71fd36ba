"""What the settings of a site amount to, with their fall-backs."""

from __future__ import annotations

from email.headerregistry import Address
from email.utils import parseaddr

from django.conf import settings
from wagtail.models import Site

from .models import EmailSettings


def settings_of(site: Site | None) -> EmailSettings:
    """Return the site's settings; unsaved defaults where there is no site at all."""
    return EmailSettings() if site is None else EmailSettings.for_site(site)


def base_url(site: Site | None) -> str:
    """Return what relative addresses in a mail are relative to, without a slash at the end."""
    own = settings_of(site).base_url or (site.root_url if site else "")
    return (own or getattr(settings, "WAGTAILADMIN_BASE_URL", "") or "").rstrip("/")


def sender(site: Site | None) -> str:
    """Return the From of the site's mails, falling back to ``DEFAULT_FROM_EMAIL``.

    The name is readable, not yet encoded for the header: Django does that when it sends.
    """
    own = settings_of(site)
    default_name, default_address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    name = own.from_name or ("" if own.from_email else default_name)
    address = own.from_email or default_address
    return str(Address(" ".join(name.split()), addr_spec=address)) if name else address
