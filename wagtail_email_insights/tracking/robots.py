"""Which user agents declare a robot, a library or a link checker.

The list is that of isbot (``isbot.json``, with source, version and date), made to sort visitors of
web sites. What stands here adapts it to e-mail: which of its patterns are left out and why, what it
misses of mail security, and the mail programs and browsers that its broad patterns would catch.

To renew the list put the new patterns into the file; the tests tell whether the tables below hold.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

ISBOT = Path(__file__).with_name("isbot.json")

TRANSLATED = {
    # Python wants look-behinds of one width,
    r"(?<! channel/|google/)google(?!(?:wv|app|/google| pixel))": (
        r"(?<! channel/)(?<!google/)google(?!(?:wv|app|/google| pixel))"
    ),
    # and no class as the end of a range.
    r"^mozilla/\d\.\d\s\((?:compatible;)?(?:\s?[\w\d-.]+[\s/]\d+\.\d+)?\)$": (
        r"^mozilla/\d\.\d\s\((?:compatible;)?(?:\s?[\w.-]+[\s/]\d+\.\d+)?\)$"
    ),
    # CUBOT makes phones, and not every program puts a space before their name.
    r"(?<! cu)bots?(?:\b|_)": r"(?<!cu)bots?(?:\b|_)",
}
"""Patterns of isbot that are written differently here."""

LEFT_OUT = {
    r"^email": "mail programs are called that",
    r"^navermailapp": "the mail program of Naver",
    r"^netsurf": "a browser",
    r"^yahoo": "the mail programs of Yahoo; its crawler is caught by its name Slurp",
    r"mail\.ru/": "the mail program of Mail.ru; its crawler is caught by the word bot",
    r"\|": "browsers inside apps separate their parts with it",
}
"""Patterns of isbot that would catch people who read their mail, and whom."""

DECLARED = (
    r"(?<!cu)bots?(?:\b|_)|crawl|spider|scan(?:ner|ning)|slurp|monitor|uptime|validator|linkcheck",
    r"curl/|wget|python-|python/|aiohttp|httpx|go-http-client|java/|okhttp|libwww-perl"
    r"|\bperl(?:[/ ]|$)|\bruby(?:[/ ]|$)|node-fetch|axios",
    r"headlesschrome|phantomjs|facebookexternalhit|virustotal|urlscan",
    # Mail security, where it says so.
    r"barracuda|proofpoint|urldefense|mimecast|safelinks|ironport|messagelabs|fireeye|forcepoint"
    r"|websense|trend ?micro|zscaler|fortiguard|fortisandbox|vadesecure|hornetsecurity|cloudmark"
    r"|retarus|sophos|cyren|spamassassin|rspamd|amavis|mailscanner|mailmarshal|spamtitan",
)
"""What no mail program says of itself: comes before ``READERS``, and knows more than isbot."""

READERS = (
    r"^(?:mac)?outlook\b|microsoft outlook|^microsoft office/",
    # "K-9 Mail/6.8", "FairEmail/1.2", "Gmail/6.0", "SamsungEmail/6.1" …
    r"^[\w .-]{0,30}mail(?:app)?(?:[/ ]v?\d| for |$)",
    r"^(?:thunderbird|postbox|seamonkey|lotus[- ]?notes|groupwise|em ?client|spark|readdle"
    r"|mailspring|mailbird|mailmate|the bat!|evolution|sylpheed|claws|eudora|incredimail|becky!?"
    r"|nine|boxer|spike|superhuman|missive|newton|edison|zimbra|tutanota|hey|shortwave)\b",
    # Browsers of few words, and phones that had one.
    r"^(?:lynx|w3m|e?links|dillo|netsurf|konqueror|opera|icab|ncsa[ _]mosaic|uzbl|qutebrowser)\b",
    r"^(?:nokia|blackberry|samsung|sonyericsson|mot-|lg[-/])[\w-]*[/ ]",
)
"""Mail programs and browsers whose short names look like a library's to isbot."""


def declares_robot(user_agent: str) -> bool:
    """Tell whether *user_agent* belongs to a program that reads for itself, by its own words."""
    if _declared().search(user_agent):
        return True
    if _readers().search(user_agent):
        return False
    return bool(_isbot().search(user_agent))


def isbot_patterns() -> list[str]:
    """Return isbot's patterns as they are used here."""
    patterns = json.loads(ISBOT.read_text(encoding="utf-8"))["patterns"]
    return [TRANSLATED.get(pattern, pattern) for pattern in patterns if pattern not in LEFT_OUT]


@cache
def _isbot() -> re.Pattern[str]:
    return _any_of(isbot_patterns())


@cache
def _declared() -> re.Pattern[str]:
    return _any_of(DECLARED)


@cache
def _readers() -> re.Pattern[str]:
    return _any_of(READERS)


def _any_of(patterns: list[str] | tuple[str, ...]) -> re.Pattern[str]:
    # ASCII, because that is what isbot's patterns mean by a word.
    return re.compile("|".join(patterns), re.IGNORECASE | re.ASCII)
