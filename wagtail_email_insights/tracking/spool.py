"""Events that the database would not take, kept on disk until it does.

One line of JSON per event. Several processes share the file: whoever appends or takes it away for
replaying holds a lock, so nothing is lost between the two. Replaying has a lock of its own, for a
reader must not wait for it.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import logging
import os
import stat
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..conf import app_settings

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, let one process replay.
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

FILE_NAME = "events.jsonl"
BAD_FILE_NAME = "bad.jsonl"
"""Lines that nobody could read, for a person to look at."""


class UnreadableEvent(ValueError):
    """A line in the spool is no event; it is put aside, so that the others are not held up."""


def directory() -> Path:
    """Return the spool folder, made when missing and readable by this user only.

    Raises OSError for a folder that somebody else owns or that everybody may write to: lines in it
    could be forged, or be read by strangers.
    """
    configured = app_settings.spool_directory
    path = Path(configured) if configured else Path(tempfile.gettempdir()) / _default_name()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    # In the shared folder for temporary files anybody can lay out a link before us.
    _refuse_unsafe(path, path.stat() if configured else path.lstat())
    return path


def append(event: Mapping[str, Any]) -> None:
    """Add one event to the spool and have it on disk before returning; raises OSError."""
    line = json.dumps(event, default=_as_text) + "\n"
    folder = directory()
    with _lock(folder / "append.lock"):
        _append_line(folder / FILE_NAME, line)


def replay(store: Callable[[dict[str, Any]], None]) -> int:
    """Give every spooled event to *store* and return how many it took.

    An event is forgotten only after *store* returned; when it raises, that event and the rest
    stay for the next time. What cannot be read, or *store* refuses with UnreadableEvent, is put
    aside. Returns 0 at once while another process replays. Raises OSError, and what *store* raises.
    """
    folder = directory()
    try:
        with _lock(folder / "replay.lock", wait=False):
            _take_away(folder)
            return sum(_replay_file(path, store) for path in sorted(folder.glob("replay-*.jsonl")))
    except BlockingIOError:
        return 0


def _take_away(folder: Path) -> None:
    current = folder / FILE_NAME
    with _lock(folder / "append.lock"):
        if current.exists():
            current.rename(folder / f"replay-{uuid.uuid4().hex}.jsonl")


def _replay_file(path: Path, store: Callable[[dict[str, Any]], None]) -> int:
    lines = path.read_bytes().splitlines()
    read = taken = 0
    try:
        for line in lines:
            taken += _replay_line(line, path, store)
            read += 1
    finally:
        _keep_only(lines[read:], path)
    return taken


def _replay_line(line: bytes, path: Path, store: Callable[[dict[str, Any]], None]) -> bool:
    try:
        store(_as_event(line))
    except UnreadableEvent:
        logger.exception("An event in the spool could not be read; it is put aside")
        text = line.decode(errors="backslashreplace")
        _append_line(path.with_name(BAD_FILE_NAME), text + "\n")
        return False
    return True


def _keep_only(lines: list[bytes], path: Path) -> None:
    if not lines:
        path.unlink()
        return
    rest = path.with_suffix(".rest")
    rest.write_bytes(b"\n".join(lines) + b"\n")
    # In one step: whoever pulls the plug now finds the old lines or the new ones.
    rest.replace(path)


def _append_line(path: Path, line: str) -> None:
    content = line.encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        if os.write(descriptor, content) != len(content):
            # Half a line would spoil the next one too.
            os.ftruncate(descriptor, before)
            raise OSError(f"no room left for an event in {path}")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file; raises BlockingIOError when it is taken and we shall not wait."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if fcntl:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def _refuse_unsafe(path: Path, status: os.stat_result) -> None:
    if not hasattr(os, "geteuid"):
        return
    if status.st_uid != os.geteuid() or status.st_mode & stat.S_IWOTH:
        raise PermissionError(f"{path} is not ours alone: no events are kept there")


def _default_name() -> str:
    # By number where there is one: in a container the number often has no name.
    user = os.geteuid() if hasattr(os, "geteuid") else getpass.getuser()
    return f"wagtail-email-insights-{user}"


def _as_event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
        return {**event, "at": datetime.fromisoformat(event["at"])}
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableEvent from error


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot spool {type(value).__name__}")
