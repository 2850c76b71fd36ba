"""Which network a request came from, as a number that leads back to nobody.

A keyed hash: whoever has the database cannot tell the address, and after the key's day cannot even
tell that two days' numbers are the same network.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from functools import lru_cache

from django.utils.crypto import salted_hmac

from ..conf import app_settings

DAY = 24 * 3600
IPV6_PREFIX = 64
"""The smallest network that one household or one server is given."""

PROXY_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP")


def network_of(meta: Mapping[str, str]) -> int:
    """Return a number for the network that a request with this ``META`` came from; 0 for unknown.

    A request that came through a proxy has none unless ``client_address_header`` says where the
    visitor's address stands: otherwise everybody behind the proxy would be one network.
    """
    header = app_settings.client_address_header
    if header:
        address = meta.get("HTTP_" + header.upper().replace("-", "_"), "").rpartition(",")[2]
    elif any(name in meta for name in PROXY_HEADERS):
        address = ""
    else:
        address = meta.get("REMOTE_ADDR", "")
    return _number(address.strip(), int(time.time() // DAY)) if address else 0


@lru_cache(maxsize=10_000)
def _number(address: str, day: int) -> int:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return 0
    if not ip.is_global:
        return 0
    if isinstance(ip, ipaddress.IPv6Address):
        network = str(ipaddress.ip_network((ip, IPV6_PREFIX), strict=False))
    else:
        network = str(ip)
    digest = salted_hmac("wagtail_email_insights.networks", f"{day} {network}", algorithm="sha256")
    return int.from_bytes(digest.digest()[:7]) or 1
