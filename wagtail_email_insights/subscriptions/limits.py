"""How often a form may be sent and an address be written to, counted in Django's cache.

A cache that each process keeps for itself (``LocMemCache``) counts per process: more is let
through, never less. Keys carry a keyed hash, so neither addresses nor networks lie in the cache.
"""

from __future__ import annotations

import contextlib
import ipaddress
import time

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from ..conf import app_settings
from ..contacts.fields import normalise_address

HOUR = 3600
DAY = 24 * HOUR
# The smallest network that one household or one server is given.
IPV6_PREFIX = 64


def may_send_form(network: str) -> bool:
    """Count one form from *network* and tell whether it is still within the hour's limit."""
    limit = app_settings.forms_per_hour
    return not limit or _count(_key("forms", network, HOUR), HOUR) <= limit


def may_mail(email: str) -> bool:
    """Count one mail to *email* and tell whether it is still within the day's limit."""
    return _count(_mail_key(email), DAY) <= app_settings.confirmations_per_day


def give_mail_back(email: str) -> None:
    """Uncount a mail that did not leave, so that a broken mail server costs nobody their day."""
    # The count may have expired meanwhile, or nothing is kept (DummyCache).
    with contextlib.suppress(ValueError):
        cache.decr(_mail_key(email))


def network_of(remote_address: str, forwarded_for: str = "") -> str:
    """Return the network a request came from, as far as it can be trusted.

    Behind a reverse proxy every request comes from the proxy, so for a private address the last
    entry of *forwarded_for* counts: the proxy wrote that one, the visitor only those before it.
    """
    address = _parse(remote_address)
    if address is None or not address.is_global:
        address = _parse(forwarded_for.rpartition(",")[2]) or address
    if address is None:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None


def _mail_key(email: str) -> str:
    return _key("mails", normalise_address(email), DAY)


def _key(what: str, who: str, seconds: int) -> str:
    digest = salted_hmac("wagtail_email_insights.limits", who, algorithm="sha256").hexdigest()
    return f"wagtail_email_insights:{what}:{digest}:{int(time.time() // seconds)}"


def _count(key: str, seconds: int) -> int:
    cache.add(key, 0, timeout=seconds)
    try:
        count = cache.incr(key)
    except ValueError:  # Expired between the two lines, or nothing is kept (DummyCache).
        return 1
    # File and database caches fall back to their default time-out when they increment.
    cache.touch(key, seconds)
    return count
