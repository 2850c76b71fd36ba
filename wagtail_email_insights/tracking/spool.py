"""Hits that no database has yet, kept in a file until it takes them.

One hit per line. Several processes share the file: whoever appends or takes it away for draining
holds a lock, so nothing is lost between the two.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import stat
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.utils.crypto import salted_hmac

from ..conf import app_settings

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, let one process drain.
    fcntl = None  # type: ignore[assignment]

FILE_NAME = "events.jsonl"
BAD_FILE_NAME = "bad.jsonl"
"""Lines that nobody could read, for a person to look at."""

TAKEN = "replay-*.jsonl"


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


def append(lines: Sequence[str]) -> None:
    """Add hits to the spool and have them on disk before returning; raises OSError."""
    folder = directory()
    with _lock(folder / "append.lock"):
        _append(folder / FILE_NAME, lines)


def check() -> None:
    """Write a line beside the spool and take it away again; raises OSError."""
    path = directory() / f"check-{uuid.uuid4().hex}"
    try:
        _append(path, ["check"])
    finally:
        path.unlink(missing_ok=True)


def put_aside(line: str | bytes) -> None:
    """Keep a line that is no hit where a person may look at it; raises OSError."""
    text = line if isinstance(line, str) else line.decode(errors="backslashreplace")
    _append(directory() / BAD_FILE_NAME, [text.replace("\n", " ")])


def is_pending() -> bool:
    """Tell whether any hit waits here; raises OSError."""
    folder = directory()
    return (folder / FILE_NAME).exists() or any(folder.glob(TAKEN))


def waiting() -> Iterator[Path]:
    """Yield the files in which hits wait, for who only looks at them; raises OSError.

    Each may be drained, and gone, by the time it is opened.
    """
    folder = directory()
    current = folder / FILE_NAME
    if current.exists():
        yield current
    # Only now: what is taken away meanwhile is rather met twice than not at all.
    yield from folder.glob(TAKEN)


def oldest() -> Path | None:
    """Return the oldest file of hits that nobody appends to any more; raises OSError.

    Only for who holds ``draining_alone``.
    """
    folder = directory()
    _take_away(folder)
    taken = sorted(folder.glob(TAKEN), key=lambda path: path.stat().st_mtime_ns)
    return taken[0] if taken else None


@contextlib.contextmanager
def draining_alone() -> Iterator[bool]:
    """Hold the lock of whoever drains on this host; False while another process holds it."""
    try:
        with _lock(directory() / "drain.lock", wait=False):
            yield True
    except BlockingIOError:
        yield False


def _take_away(folder: Path) -> None:
    current = folder / FILE_NAME
    with _lock(folder / "append.lock"):
        if current.exists():
            current.rename(folder / f"replay-{uuid.uuid4().hex}.jsonl")


def _append(path: Path, lines: Sequence[str]) -> None:
    content = "".join(f"{line}\n" for line in lines).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        if os.write(descriptor, content) != len(content):
            # Half a line would spoil the next one too.
            os.ftruncate(descriptor, before)
            raise OSError(f"no room left for hits in {path}")
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
    return f"wagtail-email-insights-{user}-{fingerprint()}"


def fingerprint(secret_key: str | bytes | None = None) -> str:
    """Return what tells this site's hits from another's: nothing of the key can be read in it."""
    mac = salted_hmac("wagtail_email_insights.hits", "site", secret=secret_key, algorithm="sha256")
    return mac.hexdigest()[:12]
