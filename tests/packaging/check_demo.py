"""Start ``make demo`` as a newcomer does: a clean clone, an empty home, Ctrl-C at the end.

python tests/packaging/check_demo.py
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 180
STOP_SECONDS = 40
PATHS = ("/", "/admin/login/", "/inbox/", "/email/subscribe/garden-letter/")


def main() -> None:
    port, smtp_port = free_port(), free_port()
    with newcomer() as folder:
        demo = start(folder, port, smtp_port)
        try:
            seconds = wait_until_it_answers(demo, port, folder)
            for path in PATHS:
                assert status(port, path) == 200, f"{path} does not answer 200"
            press_control_c(demo)
        finally:
            end(demo)
        check_the_end(folder, port, smtp_port)
    print(f"make demo answered after {seconds:.0f} s and stopped cleanly.")


@contextmanager
def newcomer() -> Iterator[Path]:
    """A folder with a clone and an empty home."""
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / "home").mkdir()
        clone = ["git", "clone", "--quiet", REPOSITORY, folder / "clone"]
        subprocess.run(clone, check=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start(folder: Path, port: int, smtp_port: int) -> subprocess.Popen:
    inherited = (
        "PATH",
        "LANG",
        "TMPDIR",
        "PYENV_ROOT",
        "PIP_INDEX_URL",
        "http_proxy",
        "https_proxy",
    )
    environment = {name: os.environ[name] for name in inherited if name in os.environ}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            ["make", "demo", f"PORT={port}", f"SMTP_PORT={smtp_port}"],
            cwd=folder / "clone",
            env=environment | {"HOME": str(folder / "home")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Like a terminal: Ctrl-C reaches make and everything below it.
            start_new_session=True,
        )


def wait_until_it_answers(demo: subprocess.Popen, port: int, folder: Path) -> float:
    began = time.monotonic()
    while status(port, "/") != 200:
        waited = time.monotonic() - began
        if demo.poll() is not None or waited > START_SECONDS:
            sys.exit((folder / "log").read_text() + f"\nNo answer after {waited:.0f} s.")
        time.sleep(1)
    return time.monotonic() - began


def press_control_c(demo: subprocess.Popen) -> None:
    os.killpg(demo.pid, signal.SIGINT)
    demo.wait(STOP_SECONDS)


def end(demo: subprocess.Popen) -> None:
    if demo.poll() is None:
        os.killpg(demo.pid, signal.SIGKILL)
        demo.wait()


def check_the_end(folder: Path, *ports: int) -> None:
    log = (folder / "log").read_text()
    assert "Stopped." in log, log
    assert "Traceback" not in log, log
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)), f"something still listens on {port}"


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.status
    except OSError:
        return 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


if __name__ == "__main__":
    main()
