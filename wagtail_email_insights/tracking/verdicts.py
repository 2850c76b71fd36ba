"""Person or machine? What a request says about itself.

The first, declared signs only: a user agent that names a robot, a mail service's image proxy, and
methods and headers that browsers use to look ahead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .models import Verdict

# Words by which robots, libraries and link checkers name themselves. Mail clients must not match:
# no bare "mail", "outlook" or "preview" here. CUBOT makes phones, and RubyLine is one.
_ROBOT = re.compile(
    r"(?<!cu)bot(?:\b|_)|crawl|spider|scan(?:ner|ning)|slurp|curl/|wget|python-|python/|aiohttp|httpx"
    r"|go-http-client|java/|okhttp|libwww-|\bperl(?:[/ ]|$)|\bruby(?:[/ ]|$)|node-fetch|axios"
    r"|headlesschrome|phantomjs"
    r"|barracuda|proofpoint|mimecast|safelinks|urlscan|virustotal|facebookexternalhit"
    r"|monitor|uptime|validator|linkcheck",
    re.IGNORECASE,
)
_IMAGE_PROXY = re.compile(r"googleimageproxy|ggpht\.com|yahoomailproxy", re.IGNORECASE)
# Apple's Mail Privacy Protection fetches images with exactly this and nothing more.
_APPLE_PROXY = "Mozilla/5.0"


@dataclass(frozen=True)
class Judgement:
    """A verdict with the sign that led to it, in one word."""

    verdict: Verdict
    reason: str = ""


def judge_user_agent(
    user_agent: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Judgement:
    """Judge a request by what it declares: user agent, method and look-ahead headers."""
    if is_lookahead(method, headers or {}):
        return Judgement(Verdict.MACHINE, "lookahead")
    if not user_agent.strip():
        return Judgement(Verdict.MACHINE, "no_user_agent")
    if user_agent.strip() == _APPLE_PROXY:
        return Judgement(Verdict.PROXY, "apple_privacy")
    if _IMAGE_PROXY.search(user_agent):
        return Judgement(Verdict.PROXY, "image_proxy")
    if _ROBOT.search(user_agent):
        return Judgement(Verdict.MACHINE, "declared_robot")
    return Judgement(Verdict.HUMAN)


def is_lookahead(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether nobody asked for this yet: HEAD, or a browser's prefetch."""
    purposes = (headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"))
    looks_ahead = any(re.search(r"prefetch|preview|prerender", value) for value in purposes)
    return method != "GET" or looks_ahead
