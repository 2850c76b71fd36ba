"""Events that the database would not take, kept on disk until it does.

One line of JSON per event, appended with a single write: short enough to be atomic on a local
file system, so several processes share the file. Replaying renames the file first, so nothing
that arrives meanwhile is lost or read twice.
"""

from __future__ import annotations

import getpass
import json
import os
import tempfile
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..conf import app_settings

FILE_NAME = "events.jsonl"


def directory() -> Path:
    """Return the spool folder, made when missing and readable by this user only."""
    configured = app_settings.spool_directory
    path = (
        Path(configured)
        if configured
        else Path(tempfile.gettempdir()) / f"wagtail-email-insights-{getpass.getuser()}"
    )
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def append(event: Mapping[str, Any]) -> None:
    """Add one event to the spool and have it on disk before returning."""
    line = json.dumps(event, default=_as_text) + "\n"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    descriptor = os.open(directory() / FILE_NAME, flags, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replay(store: Callable[[dict[str, Any]], None]) -> int:
    """Give every spooled event to *store* and return how many there were.

    An event is forgotten only after *store* returned; when it raises, that event and the rest
    stay for the next time.
    """
    current = directory() / FILE_NAME
    if current.exists():
        current.rename(directory() / f"replay-{uuid.uuid4().hex}.jsonl")
    return sum(_replay_file(path, store) for path in sorted(directory().glob("replay-*.jsonl")))


def _replay_file(path: Path, store: Callable[[dict[str, Any]], None]) -> int:
    lines = path.read_text().splitlines()
    done = 0
    try:
        for line in lines:
            store(_as_event(line))
            done += 1
    finally:
        rest = lines[done:]
        if rest:
            path.write_text("\n".join(rest) + "\n")
        else:
            path.unlink()
    return done


def _as_event(line: str) -> dict[str, Any]:
    event = json.loads(line)
    event["at"] = datetime.fromisoformat(event["at"])
    return event


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot spool {type(value).__name__}")
