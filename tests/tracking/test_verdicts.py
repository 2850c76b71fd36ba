from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from wagtail_email_insights.tracking import robots, verdicts
from wagtail_email_insights.tracking.models import Verdict
from wagtail_email_insights.tracking.reasons import SENTENCES, Reason
from wagtail_email_insights.tracking.verdicts import is_lookahead, judge_user_agent

from .user_agents import IMAGE_PROXIES, PEOPLE, ROBOTS, WINDOWS

AGENTS_OF_PEOPLE = [agent for agent, _device, _client in PEOPLE]
CHROME = WINDOWS + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"

HOSTILE = {
    "one long word": "a" * 100_000,
    "slashes": "a/" * 50_000,
    "a version without end": "x/1" + ".1" * 50_000,
    "brackets": "(" * 100_000,
    "addresses": "@a" * 50_000,
    "semicolons": "; a" * 30_000,
    "almost Mozilla": "Mozilla/5.0 (compatible;" + " a.1" * 25_000,
    "almost an iPhone": "mozilla/5.0 (iphone" * 5_000,
    "almost a mail program": " mail" * 20_000,
}


def isbot() -> dict:
    return json.loads(robots.ISBOT.read_text(encoding="utf-8"))


def matches(pattern: str, agent: str) -> bool:
    return bool(re.search(pattern, agent, re.IGNORECASE | re.ASCII))


@pytest.mark.parametrize("agent", AGENTS_OF_PEOPLE)
def test_what_people_use_is_no_machine(agent):
    assert judge_user_agent(agent) == verdicts.Judgement(Verdict.HUMAN, "")


@pytest.mark.parametrize("agent", ROBOTS)
def test_declared_robots_are_machines(agent):
    judgement = judge_user_agent(agent)
    assert (judgement.verdict, judgement.reason) == (Verdict.MACHINE, "declared_robot")


@pytest.mark.parametrize(("agent", "reason", "_client"), IMAGE_PROXIES)
def test_image_proxies_are_neither_person_nor_machine(agent, reason, _client):
    judgement = judge_user_agent(agent)
    assert (judgement.verdict, judgement.reason) == (Verdict.PROXY, reason)


@pytest.mark.parametrize("agent", [*AGENTS_OF_PEOPLE, *ROBOTS, "FlipboardProxy/1.6", "squid proxy"])
def test_nothing_else_passes_for_an_image_proxy(agent):
    assert judge_user_agent(agent).verdict != Verdict.PROXY


@pytest.mark.parametrize("agent", ["", "   "])
def test_whoever_does_not_say_what_it_is_is_a_machine(agent):
    assert judge_user_agent(agent) == verdicts.Judgement(Verdict.MACHINE, "no_user_agent")


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch"}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"Purpose": "Prefetch"}),
        ("GET", {"X-Moz": "prefetch"}),
        ("GET", {"X-Purpose": "preview"}),
    ],
)
def test_looking_ahead_is_no_reading_whoever_does_it(method, headers):
    judgement = judge_user_agent(CHROME, method, headers)
    assert (judgement.verdict, judgement.reason) == (Verdict.MACHINE, "lookahead")


def test_an_ordinary_request_looks_at_what_is_there():
    assert not is_lookahead("GET", {"Sec-Fetch-Purpose": "prefetch", "Purpose": ""})


@pytest.mark.parametrize("agent", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_user_agent_does_not_hold_anybody_up(agent):
    judge_user_agent("the patterns are compiled by now")
    began = time.perf_counter()
    judge_user_agent(agent)
    # About a millisecond; a pattern that backtracks would take seconds.
    assert time.perf_counter() - began < 0.1


def test_hostile_user_agents_do_not_fill_the_memory():
    verdicts._judge_agent.cache_clear()
    for number in range(20):
        judge_user_agent("x" * verdicts.MAX_AGENT + str(number))
    cached = verdicts._judge_agent.cache_info()
    assert (cached.currsize, cached.maxsize) == (1, 2048)


def test_the_list_of_robots_says_where_it_comes_from():
    assert {"source", "version", "published", "licence", "patterns"} == set(isbot())
    assert len(isbot()["patterns"]) > 150


@pytest.mark.parametrize("table", [robots.TRANSLATED, robots.LEFT_OUT])
def test_what_is_adapted_of_the_list_still_stands_in_it(table):
    """Otherwise a renewed list would bring back what was adapted, spelled differently."""
    assert set(table) <= set(isbot()["patterns"])


def test_every_pattern_of_the_list_works_here():
    for pattern in robots.isbot_patterns():
        re.compile(pattern)


@pytest.mark.parametrize("pattern", robots.LEFT_OUT)
def test_each_pattern_left_out_would_catch_somebody(pattern):
    assert [agent for agent in AGENTS_OF_PEOPLE if matches(pattern, agent)]


@pytest.mark.parametrize("pattern", robots.READERS)
def test_each_exception_saves_somebody(pattern):
    saved = [agent for agent in AGENTS_OF_PEOPLE if matches(pattern, agent)]
    assert [agent for agent in saved if any(matches(p, agent) for p in robots.isbot_patterns())]


def test_every_reason_is_explained():
    assert set(SENTENCES) == {"", *Reason.values}


def test_the_reference_explains_every_reason_and_no_other():
    page = Path(__file__).resolve().parents[2] / "docs" / "reference-verdicts.md"
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", page.read_text(), re.MULTILINE)
    assert sorted(reason for reason, _verdict in rows) == sorted(Reason.values)
    assert {verdict for _reason, verdict in rows} <= set(Verdict.values)


def test_the_reference_names_the_version_of_the_list():
    page = Path(__file__).resolve().parents[2] / "docs" / "reference-verdicts.md"
    assert f"version {isbot()['version']} of" in page.read_text()
