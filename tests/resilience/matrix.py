"""The kill matrix: an adversary takes the site apart during a send, and nobody may notice.

    python -m tests.resilience.matrix --recipients 10000 --kills 40 --seed 7
    python -m tests.resilience.matrix --database postgres --broker redis

The books of a mail server that writes each recipient to disk before it says "250" are the truth.
Nothing but systemd helps (``Restart=always``, ``KillMode=mixed``): no cron, and no hand in the
database.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

from tests.processes import Oracle, Postgres, Process, Redis, Site, running_site, wait_until
from tests.resilience.accounts import Account, is_sent
from wagtail_email_insights.conf import AppSettings
from wagtail_email_insights.queue import DEFAULT_Q_CLUSTER

LONGEST_GAP = 90.0
"""Seconds after which somebody must be sending again, unaided."""

SMTP_DELAY = 0.02
"""Seconds a mail takes: slow enough that a worker told to stop does not finish everything first."""

PATIENCE = 240.0
RESTART_SECONDS = 1.0
STOP_SECONDS = 60.0
"""systemd calls it ``TimeoutStopSec``."""


class Supervisor:
    """What systemd does with the unit in the documentation: ``Restart=always, KillMode=mixed``."""

    def __init__(self, site: Site, stop_seconds: float) -> None:
        self.site = site
        self.stop_seconds = stop_seconds
        self.restarts = 0
        self.cluster = self._start()

    def look(self) -> None:
        """Start the cluster again if its main process has ended, after killing what is left."""
        if self.cluster.is_running:
            return
        self.cluster.kill()
        time.sleep(RESTART_SECONDS)
        self.restarts += 1
        self.cluster = self._start()

    def restart(self) -> None:
        """``systemctl restart``."""
        self.cluster.stop(self.stop_seconds)
        self.cluster = self._start()

    def _start(self) -> Process:
        return self.site.start("qcluster")


@dataclass
class Adversary:
    """Knows the ways to take a running site apart."""

    site: Site
    supervisor: Supervisor
    chance: random.Random
    postgres: Postgres | None = None
    redis: Redis | None = None

    @property
    def ways(self) -> dict[str, Callable[[], None]]:
        ways = {
            "worker": self.kill_worker,
            "pusher or monitor": self.kill_helper,
            "sentinel": self.kill_sentinel,
            "master": self.supervisor.cluster.popen.kill,
            "whole group": self.supervisor.cluster.kill,
            "key rotated": self.rotate_key,
            "queue emptied": self.empty_queue,
        }
        if self.postgres:
            ways["postgres fast"] = lambda: self._restart_postgres("fast")
            ways["postgres immediate"] = lambda: self._restart_postgres("immediate")
        return ways

    def plan(self, number: int) -> list[str]:
        """Return so many ways in random order, each about as often as the others."""
        ways = list(self.ways)
        rounds = -(-number // len(ways))
        plan = [way for _ in range(rounds) for way in self.chance.sample(ways, len(ways))]
        return plan[:number]

    def strike(self, way: str) -> None:
        self.ways[way]()

    def kill_worker(self) -> None:
        self._kill_one(r"ready for work at (\d+)")

    def kill_helper(self) -> None:
        self._kill_one(r"(?:pushing tasks|monitoring) at (\d+)")

    def kill_sentinel(self) -> None:
        for pid in self.supervisor.cluster.children():
            self.supervisor.cluster.kill_child(pid)

    def rotate_key(self) -> None:
        """Give out a new key, keep the old ones for reading, and restart."""
        old = self.site.variables["STORY_SECRET_KEYS"]
        self.site.variables["STORY_SECRET_KEYS"] = f"key-{self.chance.random()},{old}"
        self.supervisor.restart()

    def empty_queue(self) -> None:
        if self.redis:
            self.redis.flush()
        else:
            self.site.query("DELETE FROM django_q_ormq")

    def _restart_postgres(self, mode: str) -> None:
        assert self.postgres
        self.postgres.restart(mode)

    def _kill_one(self, announced: str) -> None:
        cluster = self.supervisor.cluster
        alive = {pid for child in cluster.children() for pid in cluster.children(of=child)}
        candidates = sorted(alive & set(cluster.announced(announced)))
        if candidates:
            cluster.kill_child(self.chance.choice(candidates))


@dataclass
class Report:
    """What was done, and what came of it; *in_hand_over* is what one kill may leave in doubt."""

    people: int
    planned: int
    in_hand_over: int
    strikes: list[tuple[str, float]] = field(default_factory=list)
    restarts: int = 0
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    account: Account | None = None

    @property
    def kills(self) -> int:
        return len(self.strikes)

    @property
    def uncertain_at_most(self) -> int:
        return self.kills * self.in_hand_over

    @property
    def longest_gap(self) -> float:
        """Seconds between two mails, or between the last one and the end of the mailing."""
        return max(later - earlier for earlier, later in pairwise(self.times))

    @property
    def silences(self) -> dict[str, list[float]]:
        """The longest gap in seconds between each kill and the next, by the way of killing."""
        silences: dict[str, list[float]] = {}
        ends = [at for _way, at in self.strikes[1:]] + [self.times[-1]]
        for (way, at), end in zip(self.strikes, ends, strict=True):
            mails = self.times[bisect(self.times, at) : bisect(self.times, end)]
            longest = max(later - earlier for earlier, later in pairwise([at, *mails, end]))
            silences.setdefault(way, []).append(longest)
        return silences

    def check(self) -> None:
        """Assert all that was promised."""
        assert self.account
        assert self.kills == self.planned, "the mailing was sent before all was done to it"
        self.account.check(people=self.people, uncertain_at_most=self.uncertain_at_most)
        assert self.longest_gap <= LONGEST_GAP, f"nobody sent for {self.longest_gap:.0f} s"

    def __str__(self) -> str:
        assert self.account
        states = Counter(self.account.states.values())
        ways = ", ".join(
            f"{way} {len(silences)} (≤ {max(silences):.1f} s)"
            for way, silences in sorted(self.silences.items())
        )
        totals = ", ".join(f"{state} {number}" for state, number in sorted(states.items()))
        return (
            f"{self.kills} kills in {self.seconds:.0f} s: {ways}; restarted {self.restarts} times\n"
            f"{totals}\n"
            f"lost {len(self.account.lost)}, twice {len(self.account.twice)}, "
            f"uncertain {self.account.uncertain} (at most {self.uncertain_at_most}), "
            f"longest gap {self.longest_gap:.1f} s"
        )


def run(
    *,
    people: int,
    kills: int,
    seed: int,
    postgres: bool = False,
    redis: bool = False,
    stop_seconds: float = STOP_SECONDS,
    settings: dict[str, int] | None = None,
) -> Report:
    """Send to so many *people* while being killed so often, and report.

    The *settings* are those of the app, where they are not the usual ones.
    """
    settings = settings or {}
    chunk_size = settings.get("chunk_size", AppSettings().chunk_size)
    in_hand_over = DEFAULT_Q_CLUSTER["workers"] * chunk_size
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="matrix-")))
        oracle = stack.enter_context(Oracle(folder / "accepted.txt", delay=SMTP_DELAY))
        services = stack.enter_context(_services(postgres, redis))
        site = stack.enter_context(_site(folder, oracle, services, settings))
        site.shell(f"from tests.resilience.stage import start_mailing; start_mailing({people})")
        adversary = Adversary(site, Supervisor(site, stop_seconds), random.Random(seed), *services)
        try:
            return _fight(adversary, oracle, Report(people, kills, in_hand_over))
        except BaseException:
            print(site.diary[-20_000:], file=sys.stderr)
            raise


Services = tuple[Postgres | None, Redis | None]


@contextmanager
def _services(postgres: bool, redis: bool) -> Iterator[Services]:
    with ExitStack() as stack:
        database = broker = None
        if postgres:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="matrix-postgres-"))
            database = stack.enter_context(Postgres(Path(folder)))
        if redis:
            broker = stack.enter_context(Redis())
        yield database, broker


@contextmanager
def _site(
    folder: Path, oracle: Oracle, services: Services, settings: dict[str, int]
) -> Iterator[Site]:
    postgres, redis = services
    variables = {
        "STORY_SECRET_KEYS": "the-first-key",
        "STORY_EMAIL_INSIGHTS": json.dumps(settings),
    }
    if redis:
        variables["STORY_REDIS_PORT"] = str(redis.port)
    place = folder / "site"
    place.mkdir()
    with running_site(
        place,
        oracle.port,
        settings="tests.resilience.settings",
        database_url=postgres.url if postgres else "",
        variables=variables,
    ) as site:
        yield site


def _fight(adversary: Adversary, oracle: Oracle, report: Report) -> Report:
    began = time.monotonic()
    for number, way in enumerate(adversary.plan(report.planned)):
        goal = _next_moment(
            adversary.chance, len(oracle.mails), report.people, report.planned - number
        )
        reached = partial(_has_accepted_or_ended, oracle, goal, adversary.site)
        _wait(adversary, oracle, reached, what=f"{goal} mails")
        if len(oracle.mails) < goal:
            break
        report.strikes.append((way, time.monotonic()))
        print(f"{time.monotonic() - began:6.1f} s  {len(oracle.mails):6} mails  {way}", flush=True)
        adversary.strike(way)
    _wait(adversary, oracle, partial(_is_sent_by_now, adversary.site), what="the end")
    return _finished(report, adversary, oracle, began)


def _next_moment(chance: random.Random, accepted: int, people: int, kills_left: int) -> int:
    """Return after how many mails to strike: some more than now, for a kill must meet a send."""
    room = (people * 0.8 - accepted) / kills_left
    later = accepted + max(1, int(chance.uniform(0.2, 1.8) * room))
    # Some copies end up uncertain and are never accepted: a later moment might not come.
    return max(accepted + 1, min(later, int(people * 0.9)))


def _has_accepted_or_ended(oracle: Oracle, number: int, site: Site) -> bool:
    if len(oracle.mails) >= number:
        return True
    silent = oracle.mails and time.monotonic() > oracle.mails[-1].at + 3
    return bool(silent) and _is_sent_by_now(site)


def _wait(
    adversary: Adversary, oracle: Oracle, condition: Callable[[], bool], *, what: str
) -> None:
    """Wait as long as anything moves, with a supervisor that does its work meanwhile."""

    def met() -> bool:
        adversary.supervisor.look()
        return condition()

    accepted = -1
    while accepted != len(oracle.mails):
        accepted = len(oracle.mails)
        try:
            wait_until(met, seconds=PATIENCE, what=what)
        except AssertionError:
            continue
        return
    raise AssertionError(f"Nothing moved for {PATIENCE:.0f} s while waiting for {what}")


def _is_sent_by_now(site: Site) -> bool:
    # Asked seldom: the question is not what is measured.
    time.sleep(0.5)
    return is_sent(site)


def _finished(report: Report, adversary: Adversary, oracle: Oracle, began: float) -> Report:
    ended = time.monotonic()
    report.times = [*(mail.at for mail in oracle.mails), ended]
    report.seconds = ended - began
    report.restarts = adversary.supervisor.restarts
    report.account = Account.of(adversary.site, oracle)
    return report


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipients", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--broker", choices=["orm", "redis"], default="orm")
    options = parser.parse_args()
    print(f"Seed {options.seed}, {options.database}, {options.broker}", flush=True)
    report = run(
        people=options.recipients,
        kills=options.kills,
        seed=options.seed,
        postgres=options.database == "postgres",
        redis=options.broker == "redis",
    )
    print(report)
    report.check()


if __name__ == "__main__":
    main()
