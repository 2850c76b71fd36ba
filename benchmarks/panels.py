"""What the screens cost with ten thousand events and with five million: the same, it should be."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from . import servers

FEW, MANY = 10_000, 5_000_000
ROUNDS = 5


def panels(size: int) -> None:
    """Server time and queries of each screen, few events and many in turns, on PostgreSQL."""
    with _world(FEW) as few, _world(MANY * size) as many:
        rounds = [(_measure(few), _measure(many)) for _ in range(ROUNDS)]
    for screen in rounds[0][0]:
        _tell(screen, [(one[screen], other[screen]) for one, other in rounds])


def _tell(screen: str, rounds: list[tuple[Mapping[str, float], Mapping[str, float]]]) -> None:
    ratios = [many["ms"] / few["ms"] for few, many in rounds]
    few, many = (statistics.median(row["ms"] for row in rows) for rows in zip(*rounds, strict=True))
    queries = [f"{row['queries']:.0f}" for row in rounds[-1]]
    print(
        f"  {screen}: {statistics.median(ratios):.2f} times ({min(ratios):.2f}–{max(ratios):.2f}), "
        f"{few:.0f} and {many:.0f} ms; {' and '.join(queries)} queries",
        flush=True,
    )


@contextlib.contextmanager
def _world(events: int) -> Iterator[dict[str, str]]:
    """A server of its own with a mailing that has so many events; yields its environment."""
    with servers.postgres() as url:
        environment = {"DJANGO_SETTINGS_MODULE": "benchmarks.settings", "DATABASE_URL": url}
        made = _screens("make", str(events), environment=environment)
        print(
            f"  {events} events: inserted in {made['inserted']:.0f} s, "
            f"summed up in {made['rebuilt']:.1f} s",
            flush=True,
        )
        yield environment


def _measure(environment: Mapping[str, str]) -> dict[str, dict[str, float]]:
    return _screens("measure", environment=environment)


def _screens(*arguments: str, environment: Mapping[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.screens", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
