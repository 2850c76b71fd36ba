"""Which device and which program a request came from, by its user agent.

Coarse on purpose: what is stored must not tell one reader from another. The first row that fits
counts, because programs name those they descend from or wish to be taken for.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .models import Device
from .verdicts import MAX_AGENT, image_proxy

CLIENTS: dict[str, str | Promise] = {
    "gmail": _("Gmail"),
    "apple_mail": _("Apple Mail"),
    "outlook": _("Outlook"),
    "yahoo": _("Yahoo Mail"),
    "thunderbird": _("Thunderbird"),
    "chrome": _("Chrome"),
    "safari": _("Safari"),
    "edge": _("Edge"),
    "firefox": _("Firefox"),
    "samsung": _("Samsung"),
    "opera": _("Opera"),
    "other": _("Other"),
    "": _("Unknown"),
}
"""Families of programs, for opens and clicks alike."""

OTHER = "other"

_APPLE_MAIL = (
    # A web view without Version and Safari, and no app that adds its own name.
    r"^mozilla/5\.0 \((?:macintosh|iphone|ipad|ipod)[^)]*\) applewebkit/[\d.]+"
    r" \(khtml, like gecko\)(?: mobile/\w+)?$"
    r"|^mail/[\d.]+ cfnetwork/"
)
_IN_AN_APP = (
    r"\bFBAN\b|\bFBAV\b|instagram|linkedinapp|\bGSA/|twitter|snapchat|tiktok|\bline/|; wv\)"
)

_CLIENT_RULES = [
    (re.compile(pattern, re.IGNORECASE | re.ASCII), client)
    for pattern, client in (
        (r"ggpht\.com|googleimageproxy|edge/12\.246 mozilla/5\.0$|\bgmail", "gmail"),
        (r"yahoo\w*mail", "yahoo"),
        (r"outlook|\bms-?office\b|^microsoft office/", "outlook"),
        (r"thunderbird/", "thunderbird"),
        (_APPLE_MAIL, "apple_mail"),
        (_IN_AN_APP, OTHER),
        (r"samsungbrowser/|samsung ?e?mail", "samsung"),
        (r"\bOPR/|\bOPT/|\bOPiOS/|\bopera\b", "opera"),
        (r"\bedg(?:e|a|ios)?/", "edge"),
        (r"seamonkey/|postbox/", OTHER),
        (r"firefox/|\bfxios/", "firefox"),
        (r"vivaldi/|yabrowser/|yowser/|ucbrowser/|duckduckgo/|miuibrowser/|huaweibrowser/", OTHER),
        (r"chrome/|\bcrios/|chromium/", "chrome"),
        (r"android", OTHER),
        (r"safari/", "safari"),
    )
]

_DEVICE_RULES = [
    (re.compile(pattern, re.IGNORECASE | re.ASCII), device)
    for pattern, device in (
        (r"smart-?tv|appletv|\btizen.*\btv\b|\bweb0s\b|\bcrkey\b|\bAFT\w+ build", Device.OTHER),
        (r"playstation|xbox|nintendo|\bwatch", Device.OTHER),
        (r"ipad|\btablet\b(?! pc)|playbook|kindle|\bsilk/|\bSM-[TX]\d", Device.TABLET),
        (r"iphone|ipod|windows phone|iemobile|blackberry|\bBB10\b|opera mini", Device.PHONE),
        (r"symbian|^nokia|^sonyericsson|\bmidp-", Device.PHONE),
        (r"\bmobile\b.*android|android.*\bmobile", Device.PHONE),
        # Browsers on phones say "Mobile"; apps say nothing, and phones are more.
        (r"android.*(?:chrome|safari)/", Device.TABLET),
        (r"android", Device.PHONE),
        (r"windows|macintosh|mac os x|\bmacos\b|x11|\bcros\b|linux|bsd", Device.DESKTOP),
        (r"darwin/[\d.]+ \(x86_64\)|ms-?office|microsoft office|^macoutlook", Device.DESKTOP),
        (r"\bmobile\b|\bphone\b", Device.PHONE),
    )
]


def device_and_client(user_agent: str) -> tuple[str, str]:
    """Return a ``Device`` value and a key of ``CLIENTS``; empty where *user_agent* does not tell.

    An image proxy tells whose it is, and nothing about the device behind it.
    """
    return _device_and_client(user_agent[:MAX_AGENT].strip())


@lru_cache(maxsize=2048)
def _device_and_client(agent: str) -> tuple[str, str]:
    proxy = image_proxy(agent)
    if proxy:
        return "", _client(agent) if proxy.value == "image_proxy" else "apple_mail"
    return _device(agent), _client(agent)


def _device(agent: str) -> str:
    return next((device.value for rule, device in _DEVICE_RULES if rule.search(agent)), "")


def _client(agent: str) -> str:
    found = (client for rule, client in _CLIENT_RULES if rule.search(agent))
    return next(found, OTHER if agent else "")
