"""How long readers wait for their page at a hundred clicks a second, while worse things happen."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.resilience.crowd import Crowd

from . import servers
from .clicks import readers, site_on, worker

RATE = 100
RECIPIENTS = 10_000
AWAY = 30


def latency(size: int) -> None:
    """The slowest clicks while a large mailing is prepared and sent, on both databases."""
    with servers.smtp_sink() as port:
        for label, database in {"SQLite": _sqlite, "PostgreSQL": _postgres}.items():
            with (
                database() as variables,
                site_on(variables) as (environment, addresses),
                servers.gunicorn(environment) as web,
                worker(environment),
            ):
                with _crowd(web, addresses) as crowd:
                    _send(RECIPIENTS * size, environment | {"BENCH_SMTP_PORT": str(port)})
                print(f"  {label}, {RECIPIENTS * size} sent meanwhile: {_told(crowd)}", flush=True)


def outage(size: int) -> None:
    """PostgreSQL goes away and comes back: who is still sent on, and what becomes of the clicks."""
    with (
        servers.postgres_that_stops() as (url, control),
        site_on({"DATABASE_URL": url}) as (environment, addresses),
    ):
        # It has much to say about the database.
        silent = servers.gunicorn(environment, stderr=subprocess.DEVNULL)
        with silent as web, _crowd(web, addresses) as crowd:
            time.sleep(3)
            control("stop")
            time.sleep(AWAY * size)
            control("start")
            time.sleep(3)
        stored = json.loads(readers("count", environment=environment))
        print(
            f"  away for {AWAY * size} s: {_told(crowd)}; {stored['events']} events, "
            f"{stored['wrong']} sums wrong",
            flush=True,
        )


@contextlib.contextmanager
def _crowd(web: str, addresses: str) -> Iterator[Crowd]:
    """People who click once each; the first clicks, before all is warm, are not among them."""
    paths = Path(addresses).read_text().splitlines()
    host = web.removeprefix("http://")
    with Crowd(host, paths[-RATE:], RATE) as crowd:
        time.sleep(2)
    with Crowd(host, paths[:-RATE], RATE) as crowd:
        yield crowd


def _send(recipients: int, environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "benchmarks.sending", "engine", "--recipients"]
    with servers.running([*command, str(recipients)], environment) as process:
        assert process.wait() == 0


def _told(crowd: Crowd) -> str:
    seconds = {"p50": 0.5, "p99": 0.01, "slowest": 0.0}
    waits = ", ".join(
        f"{name} {1000 * crowd.slowest(share):.0f} ms" for name, share in seconds.items()
    )
    return f"{len(crowd.answered)} of {len(crowd.answers)} clicks answered, {waits}"


@contextlib.contextmanager
def _sqlite() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="bench-sqlite-") as folder:
        yield {"BENCH_SQLITE": f"{folder}/db.sqlite3"}


@contextlib.contextmanager
def _postgres() -> Iterator[dict[str, str]]:
    with servers.postgres() as url:
        yield {"DATABASE_URL": url}
