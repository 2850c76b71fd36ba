#!/usr/bin/env python
"""Run the example site in one terminal: web server, queue cluster and catching mail server.

    python example_site/demo.py [--port 8000] [--smtp-port 8025]

Prepares the database first and loads the demonstration once. Ctrl-C stops everything; so does
the end of any of the three, which is then named.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

MANAGE = [sys.executable, str(Path(__file__).resolve().with_name("manage.py"))]
HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 15

PREPARE = (["migrate"], ["migrate", "--database", "inbox"], ["load_demo"])


class Child:
    """One server of the demonstration, its output marked with its name."""

    def __init__(self, name: str, *arguments: str) -> None:
        self.name = name
        # A group of its own: Ctrl-C reaches this runner only, which then stops all in good order.
        self.process = subprocess.Popen(
            [*MANAGE, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._printer = threading.Thread(target=self._print, daemon=True)
        self._printer.start()

    def _print(self) -> None:
        output: BinaryIO = self.process.stdout  # type: ignore[assignment]
        for line in output:
            say(f"{self.name:>5} | {line.decode(errors='replace').rstrip()}")

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.is_running:
            self.process.terminate()

    def wait_or_kill(self, deadline: float) -> None:
        """Wait for a clean end; after *deadline*, end the whole group."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.1, deadline - time.monotonic()))
        self._end_group()
        self.process.wait()
        self._printer.join(1)

    def _end_group(self) -> None:
        """End whatever is left: the cluster's own workers may outlive a cluster that crashed."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = read_arguments(arguments)
    refuse_taken_port(options.port, "--port / make demo PORT=…")
    refuse_taken_port(options.smtp_port, "--smtp-port / make demo SMTP_PORT=…")
    os.environ["DEMO_PORT"] = str(options.port)
    os.environ["DEMO_SMTP_PORT"] = str(options.smtp_port)
    os.environ["PYTHONUNBUFFERED"] = "1"
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        prepare()
        return run(options.port, options.smtp_port)
    except Stopped:
        return 0


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=int(os.environ.get("DEMO_PORT", "8000")))
    parser.add_argument(
        "--smtp-port", type=int, default=int(os.environ.get("DEMO_SMTP_PORT", "8025"))
    )
    return parser.parse_args(arguments)


def refuse_taken_port(port: int, remedy: str) -> None:
    """Exit with a plain message when something listens on *port* already."""
    with socket.socket() as probe:
        # As servers do it, so that the remains of a run just ended are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            sys.exit(f"Port {port} cannot be used ({error.strerror}). Choose another: {remedy}")


def prepare() -> None:
    for arguments in PREPARE:
        if subprocess.run([*MANAGE, *arguments], check=False).returncode:
            sys.exit(f"“manage.py {' '.join(arguments)}” failed; see above.")


def run(port: int, smtp_port: int) -> int:
    """Start the three servers and keep them until one ends or somebody stops us."""
    children: list[Child] = []
    try:
        children.append(Child("smtp", "demo_smtp", "--port", str(smtp_port)))
        children.append(Child("queue", "qcluster"))
        children.append(Child("web", "runserver", "--noreload", f"{HOST}:{port}"))
        wait_until_it_answers(port, children)
        say(banner(port))
        return watch(children)
    except Stopped:
        say("\nStopping …")
        return 0
    finally:
        stop_all(children)
        say("Stopped.")


def wait_until_it_answers(port: int, children: Sequence[Child]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(port) and all(child.is_running for child in children):
        if time.monotonic() > deadline:
            sys.exit(f"The web server did not answer within {START_SECONDS} seconds.")
        time.sleep(0.2)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def watch(children: Sequence[Child]) -> int:
    """Return once a server has ended, after saying which."""
    while True:
        for child in children:
            if not child.is_running:
                say(f"“{child.name}” ended by itself (exit code {child.process.returncode}).")
                return 1
        time.sleep(0.5)


def stop_all(children: Sequence[Child]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.wait_or_kill(deadline)


def stop(number: int, frame: object) -> NoReturn:
    raise Stopped


def banner(port: int) -> str:
    address = f"http://localhost:{port}"
    lines = [
        "The example site is running.",
        "",
        f"Site    {address}/",
        f"Admin   {address}/admin/   log in as admin / demo",
        f"Inbox   {address}/inbox/   every mail the site sends",
        "",
        "Ctrl-C stops it.",
    ]
    width = max(map(len, lines))
    rule = "─" * (width + 2)
    body = "\n".join(f"│ {line:<{width}} │" for line in lines)
    return f"\n┌{rule}┐\n{body}\n└{rule}┘\n"


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
