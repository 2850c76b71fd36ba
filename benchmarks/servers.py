"""Real servers on loopback for the time of a benchmark."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any


class NotInstalled(RuntimeError):
    """A program that a benchmark needs is not on this machine."""


def program(name: str, *folders: str) -> str:
    """Return the path of *name*; raises NotInstalled."""
    path = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *folders]))
    if not path:
        raise NotInstalled(name)
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def smtp_sink() -> Iterator[int]:
    """Postfix's ``smtp-sink``, which takes every mail and forgets it; yields its port."""
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [program("smtp-sink"), *user, "-c", f"127.0.0.1:{port}", "1000"]
    with running(command, stderr=subprocess.DEVNULL):
        _wait_for(port)
        yield port


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A private PostgreSQL server with its usual settings; yields a DATABASE_URL."""
    with postgres_that_stops() as (url, _control):
        yield url


@contextlib.contextmanager
def postgres_that_stops() -> Iterator[tuple[str, Callable[[str], None]]]:
    """The same; also yields a function that takes it away ("stop") and brings it back ("start")."""
    folders = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))
    initdb, pg_ctl = program("initdb", *folders), program("pg_ctl", *folders)
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="bench-postgres-") as folder:
        if as_user:
            shutil.chown(folder, "postgres")
        data, port = f"{folder}/data", free_port()
        _run([*as_user, initdb, "-D", data, "-A", "trust", "-U", "bench"], folder)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        server = [*as_user, pg_ctl, "-D", data, "-w", "-m", "fast", "-o", options]

        def control(verb: str) -> None:
            _run([*server, "-l", f"{folder}/log", verb], folder)

        control("start")
        try:
            yield f"postgres://bench@127.0.0.1:{port}/postgres", control
        finally:
            control("stop")


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A private Redis that keeps what it is told on disk, as Redis advises; yields its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-redis-") as folder:
        command = [program("redis-server"), "--bind", "127.0.0.1", "--port", str(port)]
        durable = [
            "--dir",
            folder,
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "everysec",
        ]
        with running([*command, *durable]):
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def gunicorn(environment: Mapping[str, str], **options: Any) -> Iterator[str]:
    """A web server with threads, two processes of it; yields its address."""
    port = free_port()
    application = "django.core.wsgi:get_wsgi_application()"
    command = [sys.executable, "-m", "gunicorn", application, "--workers", "2"]
    threads = ["--worker-class", "gthread", "--threads", "8", "--keep-alive", "30"]
    where = ["--bind", f"127.0.0.1:{port}", "--no-control-socket", "--log-level", "error"]
    with running([*command, *threads, *where], environment, **options):
        _wait_for(port)
        # The port is open before there is anybody to answer.
        urllib.request.urlopen(f"http://127.0.0.1:{port}/empty/x", timeout=60).close()
        yield f"http://127.0.0.1:{port}"


def wrk(address: str, *arguments: str, seconds: float, connections: int = 32) -> dict[str, float]:
    """Ask as fast as is answered, by ``wrk.lua``, and return what it prints."""
    script = str(Path(__file__).with_name("wrk.lua"))
    load = ["-t", "1", "-c", str(connections), "-d", f"{seconds:.0f}s", "-s", script]
    command = [program("wrk"), *load, address, "--", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def smtp_source(port: int, *, messages: int, size: int) -> float:
    """Return the messages a second that ``smtp-source`` gets through one connection."""
    command = [program("smtp-source"), "-s", "1", "-m", str(messages), "-l", str(size), "-d"]
    addresses = ["-f", "news@example.org", "-t", "reader@example.org", f"127.0.0.1:{port}"]
    began = time.perf_counter()
    subprocess.run([*command, *addresses], check=True, stdout=subprocess.DEVNULL)
    return messages / (time.perf_counter() - began)


@contextlib.contextmanager
def running(
    command: list[str], environment: Mapping[str, str] | None = None, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, **options
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _run(command: list[str], folder: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")
