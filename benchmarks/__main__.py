"""``python -m benchmarks [NAME …]``: sending, memory, prepare, clicks, latency, outage, panels."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import clicks, panels, servers, waiting

ROUNDS = 3
PACKAGES = "postfix postgresql redis-server wrk"
Environment = Mapping[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    parser.add_argument("--size", type=int, default=1, help="multiplies recipients, or seconds")
    options = parser.parse_args()
    for name in options.names:
        print(f"\n{name}", flush=True)
        try:
            BENCHMARKS[name](options.size)
        except servers.NotInstalled as error:
            sys.exit(f"  {error} is not installed; on Debian: apt-get install {PACKAGES}")


def sending(size: int) -> None:
    """One worker process against the ordinary loop and smtp-source, on both databases."""
    recipients = 2000 * size
    with servers.smtp_sink() as port:
        for label, database in DATABASES.items():
            ratios: dict[str, list[float]] = {"loop": [], "smtp-source": []}
            for _ in range(ROUNDS):
                with database() as environment:
                    loop = _run("loop", recipients // 10, port, environment)["rate"]
                with database() as environment:
                    engine = _run("engine", recipients, port, environment)
                source = servers.smtp_source(port, messages=recipients, size=engine["size"])
                ratios["loop"].append(engine["rate"] / loop)
                ratios["smtp-source"].append(engine["rate"] / source)
            print(
                f"  {label}: {_median(ratios['loop'])} times the ordinary loop, "
                f"{_median(ratios['smtp-source'], percent=True)} of smtp-source "
                f"({engine['size'] // 1000} kB a message, {recipients} recipients)",
                flush=True,
            )


def memory(size: int) -> None:
    """How much one worker grows between a small mailing and one twenty times as large."""
    with servers.smtp_sink() as port:
        grown = {}
        for recipients in (2500 * size, 50000 * size):
            with _postgres() as environment:
                grown[recipients] = _run("engine", recipients, port, environment)["grown_mb"]
        few, many = sorted(grown)
        print(f"  from {few} to {many} recipients: {grown[many] - grown[few]:+.1f} MB", flush=True)


def prepare(size: int) -> None:
    """Inserting the Deliveries against the barest INSERT … SELECT of as many rows."""
    recipients = 100_000 * size
    for label, database in DATABASES.items():
        with database() as environment:
            seconds = _run("prepare", recipients, 0, environment)
        print(
            f"  {label}: {seconds['ours'] / seconds['bare']:.2f} times the bare INSERT "
            f"({recipients} rows)",
            flush=True,
        )


def _run(what: str, recipients: int, port: int, environment: Environment) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.sending", what, "--recipients", str(recipients)]
    done = subprocess.run(
        command,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "BENCH_SMTP_PORT": str(port),
            **environment,
        },
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def _sqlite() -> Iterator[Environment]:
    with tempfile.TemporaryDirectory(prefix="bench-sqlite-") as folder:
        yield {"BENCH_SQLITE": f"{folder}/db.sqlite3"}


@contextlib.contextmanager
def _postgres() -> Iterator[Environment]:
    with servers.postgres() as url:
        yield {"DATABASE_URL": url}


def _median(values: list[float], *, percent: bool = False) -> str:
    scale, unit = (100, " %") if percent else (1, "")
    low, middle, high = (
        scale * value for value in (min(values), statistics.median(values), max(values))
    )
    return f"{middle:.1f}{unit} ({low:.1f}–{high:.1f})"


DATABASES = {"PostgreSQL": _postgres, "SQLite": _sqlite}
BENCHMARKS: dict[str, Callable[[int], None]] = {
    "sending": sending,
    "memory": memory,
    "prepare": prepare,
    "clicks": clicks.clicks,
    "latency": waiting.latency,
    "outage": waiting.outage,
    "panels": panels.panels,
}

if __name__ == "__main__":
    main()
