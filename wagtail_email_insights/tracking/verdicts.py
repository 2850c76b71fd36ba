"""Person or machine? What a request says about itself.

The first, declared signs only: a user agent that names a robot, a mail service's image proxy, and
methods and headers that browsers use to look ahead. What the hits of a copy say together is judged
in ``tracking.judging``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from .models import Verdict
from .reasons import Reason
from .robots import declares_robot

RULE_VERSION = 2
"""Stored with each verdict. 1: user agents and headers only. 2: also what a copy's hits tell."""

# Longer ones are hostile or broken, and what they are stands at the beginning.
MAX_AGENT = 1000
_IMAGE_PROXY = re.compile(
    r"ggpht\.com|(?:image|mail)[ _-]?proxy|yandeximageresizer"
    # Gmail, in advance, for somebody who has it open.
    r"|edge/12\.246 mozilla/5\.0$",
    re.IGNORECASE,
)
# Apple's Mail Privacy Protection fetches images with exactly this and nothing more.
_APPLE_PROXY = "Mozilla/5.0"
LOOKAHEAD_HEADERS = ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")
_LOOKAHEAD = re.compile(r"prefetch|preview|prerender", re.IGNORECASE)


@dataclass(frozen=True)
class Judgement:
    """A verdict with the sign that led to it, in one word."""

    verdict: Verdict
    reason: str = ""


HUMAN = Judgement(Verdict.HUMAN)


def judge_user_agent(
    user_agent: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Judgement:
    """Judge a request by what it declares: user agent, method and look-ahead headers."""
    if is_lookahead(method, headers or {}):
        return Judgement(Verdict.MACHINE, Reason.LOOKAHEAD.value)
    return _judge_agent(user_agent[:MAX_AGENT].strip())


def is_lookahead(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether nobody asked for this yet: HEAD, or a browser's prefetch."""
    purposes = (headers.get(name, "") for name in LOOKAHEAD_HEADERS)
    return method != "GET" or any(_LOOKAHEAD.search(purpose) for purpose in purposes)


def image_proxy(user_agent: str) -> Reason | None:
    """Return which kind of image proxy *user_agent* belongs to, None if to none.

    Such a request says nothing about the reader's own program and device.
    """
    if user_agent == _APPLE_PROXY:
        return Reason.APPLE_PRIVACY
    return Reason.IMAGE_PROXY if _IMAGE_PROXY.search(user_agent) else None


@lru_cache(maxsize=2048)
def _judge_agent(user_agent: str) -> Judgement:
    if not user_agent:
        return Judgement(Verdict.MACHINE, Reason.NO_USER_AGENT.value)
    if proxy := image_proxy(user_agent):
        return Judgement(Verdict.PROXY, proxy.value)
    if declares_robot(user_agent):
        return Judgement(Verdict.MACHINE, Reason.DECLARED_ROBOT.value)
    return HUMAN
