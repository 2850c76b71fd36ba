"""Real servers on loopback for the time of a benchmark."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


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
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A private PostgreSQL server with its usual settings; yields a DATABASE_URL."""
    folders = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))
    initdb, pg_ctl = program("initdb", *folders), program("pg_ctl", *folders)
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="bench-postgres-") as folder:
        if as_user:
            shutil.chown(folder, "postgres")
        data, port = f"{folder}/data", free_port()
        _run([*as_user, initdb, "-D", data, "-A", "trust", "-U", "bench"], folder)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        start = [*as_user, pg_ctl, "-D", data, "-w", "-o", options, "-l", f"{folder}/log", "start"]
        _run(start, folder)
        try:
            yield f"postgres://bench@127.0.0.1:{port}/postgres"
        finally:
            _run([*as_user, pg_ctl, "-D", data, "-m", "fast", "stop"], folder)


def smtp_source(port: int, *, messages: int, size: int) -> float:
    """Return the messages a second that ``smtp-source`` gets through one connection."""
    command = [program("smtp-source"), "-s", "1", "-m", str(messages), "-l", str(size), "-d"]
    addresses = ["-f", "news@example.org", "-t", "reader@example.org", f"127.0.0.1:{port}"]
    began = time.perf_counter()
    subprocess.run([*command, *addresses], check=True, stdout=subprocess.DEVNULL)
    return messages / (time.perf_counter() - began)


def _run(command: list[str], folder: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")
