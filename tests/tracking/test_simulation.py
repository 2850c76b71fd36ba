"""Simulated scanners against simulated people: how many clicks end on the wrong side.

A scanner follows every link of a copy within a second, up to ten minutes after sending, and calls
itself an ordinary Chrome or Outlook. What tells it from a person is in how it comes. The shares are
printed (``pytest -s``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from wagtail_email_insights.tracking.judging import Rules, Sighting, Sign, judge_copy, sweeps
from wagtail_email_insights.tracking.models import Evidence, Verdict
from wagtail_email_insights.tracking.verdicts import judge_user_agent

from .user_agents import CHROME, MSIE, WINDOWS

SENT_AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
GENUINE = [WINDOWS + CHROME, MSIE + "Microsoft Outlook 16.0.5)"]
COPIES = 1500
SCANNED = 0.4
SEEDS = [1, 2, 3]
DAY = 24 * 3600.0


@dataclass
class Style:
    """How a kind of scanner works through a copy."""

    looks_ahead: bool = False
    follows_hidden: bool = False
    networks: tuple[int, int] = (1, 10**9)
    """One of so many networks; few of them work through many copies at once."""
    batch_seconds: float = 600.0
    """All copies are worked through within so long."""


STYLES = {
    "plain": Style(),
    "looking ahead": Style(looks_ahead=True),
    "trapped": Style(follows_hidden=True),
    "one network": Style(networks=(1, 2), batch_seconds=30.0),
}


@dataclass
class World:
    """One mailing in which some copies are scanned, and many are read."""

    links: int
    trap: bool
    seed: int
    styles: list[str]
    sightings: dict[int, list[Sighting]] = field(default_factory=dict)
    signs: dict[int, list[Sign]] = field(default_factory=dict)
    machine_clicks: set[int] = field(default_factory=set)
    human_clicks: set[int] = field(default_factory=set)
    count: int = 0

    def __post_init__(self) -> None:
        self.chance = Random(f"{self.links} {self.trap} {self.seed} {self.styles}")
        for copy in range(1, COPIES + 1):
            self.sightings[copy], self.signs[copy] = [], []
            if self.chance.random() < SCANNED:
                self.scan(copy, STYLES[self.chance.choice(self.styles)])
            if self.chance.random() < 0.5:
                self.read(copy)

    def see(self, copy: int, seconds: float, link: int | None, network: int) -> int:
        self.count += 1
        judgement = judge_user_agent(self.chance.choice(GENUINE))
        self.sightings[copy].append(
            Sighting(
                self.count,
                "click" if link else "open",
                SENT_AT + timedelta(seconds=seconds),
                link,
                judgement.verdict.value,
                judgement.reason,
                network,
            )
        )
        return self.count

    def sign(self, copy: int, evidence: Evidence, seconds: float, link: int | None = None) -> None:
        self.signs[copy].append(Sign(evidence.value, SENT_AT + timedelta(seconds=seconds), link))

    def scan(self, copy: int, style: Style) -> None:
        """Follow every link within a second, in no order."""
        start = self.chance.uniform(0, style.batch_seconds)
        network = self.chance.randint(*style.networks)
        if self.chance.random() < 0.5:
            self.see(copy, start, None, network)
        links = list(range(1, self.links + 1))
        self.chance.shuffle(links)
        for link in links:
            seconds = start + self.chance.uniform(0, 0.95)
            if style.looks_ahead:
                self.sign(copy, Evidence.LOOKAHEAD, seconds, link)
                seconds += self.chance.uniform(0.01, 0.5)
            self.machine_clicks.add(self.see(copy, seconds, link, network))
        if self.trap and style.follows_hidden:
            self.sign(copy, Evidence.TRAP, start + self.chance.uniform(0, 0.95))

    def read(self, copy: int) -> None:
        """Open minutes or days after sending, follow some links, now and then come back."""
        network = self.chance.choice([-1, -copy, -copy])  # -1: an office with one address
        for _visit in range(self.chance.choice([1, 1, 1, 2])):  # the phone, then the computer
            seconds = min(20 + self.chance.expovariate(1 / 3600), 3 * DAY)
            self.see(copy, seconds, None, network)
            for link, pause in self.choices():
                seconds += pause
                for repeated in range(self.chance.choice([1, 1, 1, 1, 2])):  # a double click
                    self.human_clicks.add(self.see(copy, seconds + repeated * 0.3, link, network))

    def choices(self) -> Iterator[tuple[int, float]]:
        """Yield the links somebody follows, each with the seconds since the one before."""
        wanted = self.chance.choice([1, 1, 1, 2, 2, 3])
        for link in self.chance.sample(range(1, self.links + 1), min(wanted, self.links)):
            in_a_row = self.chance.random() < 0.2  # opens one tab after the other
            yield link, self.chance.uniform(0.7, 3) if in_a_row else self.chance.uniform(4, 200)

    def judge(self) -> dict[int, Verdict]:
        """Return every click's verdict once copies and networks were judged."""
        rules = Rules()
        verdicts: dict[int, Verdict] = {}
        clicks: list[tuple[int, Sighting]] = []
        for copy, sightings in self.sightings.items():
            changes = judge_copy(sightings, self.signs[copy], handed_over_at=None, rules=rules)
            for sighting in sightings:
                change = changes.get(sighting.id)
                verdicts[sighting.id] = change.verdict if change else Verdict(sighting.verdict)
                clicks.append((copy, sighting._replace(verdict=verdicts[sighting.id].value)))
        return verdicts | {pk: found.verdict for pk, found in sweeps(clicks, rules).items()}

    def shares(self) -> tuple[float, float]:
        """Return the share of scanners' clicks found out, and of people's clicks found guilty."""
        verdicts = self.judge()
        machines = {pk for pk, verdict in verdicts.items() if verdict == Verdict.MACHINE}
        caught = len(machines & self.machine_clicks) / len(self.machine_clicks)
        wronged = len(machines & self.human_clicks) / len(self.human_clicks)
        print(
            f"{self.links:2} links, trap {self.trap!s:5}, seed {self.seed}, "
            f"{', '.join(self.styles)}: {caught:.2%} of {len(self.machine_clicks)} scanner clicks, "
            f"{wronged:.2%} of {len(self.human_clicks)} human clicks"
        )
        return caught, wronged


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("trap", [True, False])
@pytest.mark.parametrize("links", [3, 20])
def test_from_three_links_on_scanners_are_found_whatever_they_do(links, trap, seed):
    caught, wronged = World(links, trap, seed, list(STYLES)).shares()
    assert caught >= 0.99
    assert wronged <= 0.005


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("trap", "styles"),
    [
        (True, ["trapped", "looking ahead", "one network"]),
        (False, ["looking ahead", "one network"]),
    ],
    ids=["with trap", "without trap"],
)
@pytest.mark.parametrize("links", [1, 2])
def test_with_one_or_two_links_those_that_give_a_sign_are_found(links, trap, styles, seed):
    caught, wronged = World(links, trap, seed, styles).shares()
    assert caught >= 0.99
    assert wronged <= 0.005


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("links", [1, 2])
def test_with_one_or_two_links_a_scanner_that_gives_no_sign_passes_for_a_person(links, seed):
    """What is not possible: it comes once, as a person would, from an address of its own."""
    caught, wronged = World(links, True, seed, ["plain"]).shares()
    assert caught < 0.05
    assert wronged <= 0.005


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_wronged_where_no_scanner_comes(seed, monkeypatch):
    monkeypatch.setitem(World.__init__.__globals__, "SCANNED", 0)
    world = World(20, True, seed, ["plain"])
    machines = [pk for pk, verdict in world.judge().items() if verdict == Verdict.MACHINE]
    assert len(world.human_clicks) > 1000
    assert len(machines) <= 0.002 * len(world.human_clicks)


def test_the_scanners_of_this_world_declare_nothing():
    assert {judge_user_agent(agent).verdict for agent in GENUINE} == {Verdict.HUMAN}
