"""How many clicks a second a site takes, each durable before it is answered.

The same web server answers an empty view, in turns with the clicks: ratios are what counts.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import servers

ROUNDS = 5
SECONDS = 4
WARM_UP = 1


@dataclass
class Rates:
    """Answers a second of the empty view and of the click, round by round, and what is stored."""

    empty: list[float] = field(default_factory=list)
    click: list[float] = field(default_factory=list)
    answered: int = 0
    refused: int = 0
    stored: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratios(self) -> list[float]:
        return [click / empty for click, empty in zip(self.click, self.empty, strict=True)]

    def __str__(self) -> str:
        low, middle, high = (100 * of(self.ratios) for of in (min, statistics.median, max))
        return (
            f"{middle:.0f} % of an empty view ({low:.0f}–{high:.0f}): "
            f"{statistics.median(self.click):.0f} of {statistics.median(self.empty):.0f} a second; "
            f"{self.answered} answered, {self.refused} refused, "
            f"{max(0, self.answered - self.stored['events'])} lost, "
            f"{self.stored['wrong']} sums wrong; "
            f"{self.stored['drained']} drained at {self.stored['rate']:.0f} a second"
        )


def clicks(size: int) -> None:
    """Both recorders, without a worker and with one that makes events of hits meanwhile."""
    for recorder in ("database", "redis"):
        for has_worker in (False, True):
            rates = measure(recorder, seconds=SECONDS * size, has_worker=has_worker)
            worker = ", a worker draining" if has_worker else ""
            print(f"  {recorder}{worker}: {rates}", flush=True)


def measure(recorder: str, *, seconds: float, has_worker: bool) -> Rates:
    """Follow links of a site of its own as fast as it answers; returns what that gave."""
    rates = Rates()
    # Without a worker the web server leaves hits alone too: what is measured is writing them down.
    settings = {} if has_worker else {"at_once_per_second": 0}
    with site(recorder=recorder, **settings) as (environment, addresses):
        with servers.gunicorn(environment) as web, worker(environment, wanted=has_worker):
            _ask(web, addresses, rates, seconds=WARM_UP)
            servers.wrk(web, addresses, "/empty", seconds=WARM_UP)
            for _ in range(ROUNDS):
                empty = servers.wrk(web, addresses, "/empty", seconds=seconds)
                rates.empty.append(empty["answered"] / empty["seconds"])
                rates.click.append(_ask(web, addresses, rates, seconds=seconds))
        rates.stored = json.loads(readers("count", environment=environment))
    return rates


@contextlib.contextmanager
def site(**settings: Any) -> Iterator[tuple[dict[str, str], str]]:
    """A mailing in a PostgreSQL of its own; yields its environment and a file of addresses."""
    with (
        servers.postgres() as database,
        servers.redis() as redis,
        site_on({"DATABASE_URL": database}, redis_url=redis, **settings) as made,
    ):
        yield made


@contextlib.contextmanager
def site_on(database: Mapping[str, str], **settings: Any) -> Iterator[tuple[dict[str, str], str]]:
    """The same in a database named by environment variables."""
    with tempfile.TemporaryDirectory(prefix="bench-clicks-") as folder:
        environment = {
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "BENCH_EMAIL_INSIGHTS": json.dumps(settings | {"spool_directory": f"{folder}/spool"}),
            **database,
        }
        addresses = f"{folder}/addresses"
        readers("make", addresses, environment=environment)
        yield environment, addresses


def readers(*arguments: str, environment: Mapping[str, str]) -> str:
    """Run ``benchmarks.readers`` and return the last line it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.readers", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stdout.splitlines()[-1] if done.stdout else ""


def _ask(web: str, addresses: str, rates: Rates, *, seconds: float) -> float:
    seen = servers.wrk(web, addresses, seconds=seconds)
    rates.answered += int(seen["answered"] - seen["refused"])
    rates.refused += int(seen["refused"])
    return (seen["answered"] - seen["refused"]) / seen["seconds"]


def worker(
    environment: Mapping[str, str], *, wanted: bool = True
) -> contextlib.AbstractContextManager[Any]:
    """A process that makes events of hits once a second, as the workers of the queue do."""
    command = [sys.executable, "-m", "benchmarks.readers", "drain"]
    return servers.running(command, environment) if wanted else contextlib.nullcontext()
