"""Where hits are put down while a reader waits, and taken from to become events.

Each recorder is both ends of that: ``write`` returns when the lines are safe; ``take`` gives the
oldest ones to whoever drains, inside a transaction, and ``done`` notes in that same transaction
that they are events now, so that a crash neither loses a hit nor counts it twice.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django import db
from django.conf import settings
from django.db import connections, router, transaction
from django.utils.functional import cached_property
from django.utils.module_loading import import_string

from ..conf import app_settings
from . import spool
from .breaker import Breaker
from .hits import Observation, UnreadableHit
from .models import DrainPosition, Hit

PROBE = "probe"
"""What ``check`` writes: no hit, so it could never become an event."""

SAMPLE = 1_000_000
"""Bytes of a file whose lines are counted; from there on their number is estimated."""


class RecorderAway(Exception):
    """The recorder cannot take hits now; they go to the spool."""


@dataclass(frozen=True)
class Batch:
    """Lines taken from a recorder, and what it needs to know to call them done."""

    lines: Sequence[str | bytes] = ()
    mark: Any = None
    is_last: bool = True


@dataclass(frozen=True)
class Backlog:
    """What waits in one place: about how many hits, and since when; None is what nobody knows."""

    number: int | None = None
    since: datetime | None = None


class Recorder(ABC):
    """One place for hits."""

    @abstractmethod
    def write(self, lines: Sequence[str]) -> None:
        """Have *lines* safe before returning; raises RecorderAway, and then took none."""

    @abstractmethod
    def check(self) -> None:
        """Write something and read it again without leaving a trace; raises RecorderAway."""

    @abstractmethod
    def is_pending(self) -> bool:
        """Tell, cheaply, whether anything waits to become an event; may raise RecorderAway."""

    def backlogs(self) -> list[Backlog]:
        """Return what waits, cheaply, one for each heap of hits; may raise RecorderAway or OSError.

        A recorder that does not say more has a backlog of which nothing is known.
        """
        return [Backlog()] if self.is_pending() else []

    @abstractmethod
    def take(self, limit: int) -> Batch:
        """Return the oldest hits without taking them away; inside a transaction."""

    @abstractmethod
    def done(self, batch: Batch) -> None:
        """Note that *batch* became events; inside the transaction in which it does."""

    def clean_up(self, batch: Batch) -> None:  # noqa: B027  most have nothing to do
        """Remove what is done, after the commit; it may happen twice or not at all."""


class TableRecorder(Recorder):
    """A narrow table of the site's own database: one insert for all readers that wait."""

    def write(self, lines: Sequence[str]) -> None:
        connection = connections[router.db_for_write(Hit)]
        values = ",".join(["(%s)"] * len(lines))
        try:
            with connection.cursor() as cursor:
                # Not through the ORM, which takes longer to write the statement than it runs.
                cursor.execute(self._insert + values, lines)
        except db.Error as error:
            raise RecorderAway from error

    def check(self) -> None:
        try:
            with transaction.atomic():
                self.write([PROBE])
                if not Hit.objects.filter(line=PROBE).exists():
                    raise RecorderAway("what was written could not be read")
                transaction.set_rollback(True)
        except db.Error as error:
            raise RecorderAway from error

    def is_pending(self) -> bool:
        return Hit.objects.exists()

    def backlogs(self) -> list[Backlog]:
        oldest = Hit.objects.order_by("pk").first()
        return [Backlog(Hit.objects.count(), _time_of(oldest.line))] if oldest else []

    def take(self, limit: int) -> Batch:
        rows = list(Hit.objects.order_by("pk").values_list("pk", "line")[:limit])
        return Batch(
            lines=[line for _pk, line in rows],
            mark=[pk for pk, _line in rows],
            is_last=len(rows) < limit,
        )

    def done(self, batch: Batch) -> None:
        Hit.objects.filter(pk__in=batch.mark).delete()

    @cached_property
    def _insert(self) -> str:
        quote = connections[router.db_for_write(Hit)].ops.quote_name
        return f"INSERT INTO {quote(Hit._meta.db_table)} ({quote('line')}) VALUES "  # noqa: S608


class FileRecorder(Recorder):
    """A file on this host: never waits for a database, and is what remains when one is away."""

    def write(self, lines: Sequence[str]) -> None:
        try:
            spool.append(lines)
        except OSError as error:
            raise RecorderAway from error

    def check(self) -> None:
        try:
            spool.check()
        except OSError as error:
            raise RecorderAway from error

    def is_pending(self) -> bool:
        return spool.is_pending()

    def backlogs(self) -> list[Backlog]:
        found = [self._backlog(path) for path in spool.waiting()]
        return [backlog for backlog in found if backlog]

    def take(self, limit: int) -> Batch:
        path = spool.oldest()
        if path is None:
            return Batch()
        with path.open("rb") as file:
            file.seek(self._position(path))
            lines = [line.rstrip(b"\n") for line in islice(file, limit)]
            return Batch(lines, mark=(path, file.tell(), len(lines) < limit), is_last=False)

    def done(self, batch: Batch) -> None:
        if batch.mark:
            path, end, _is_finished = batch.mark
            _set_position(f"file:{path.name}", str(end))

    def clean_up(self, batch: Batch) -> None:
        if batch.mark:
            path, _end, is_finished = batch.mark
            if is_finished:
                path.unlink(missing_ok=True)
                DrainPosition.objects.filter(source=f"file:{path.name}").delete()

    def _backlog(self, path: Path) -> Backlog | None:
        # Asked first: of a file that is done by the time it is opened, nobody knows it any more.
        position = self._position(path)
        try:
            with path.open("rb") as file:
                file.seek(position)
                number = _lines_left(file)
                return Backlog(number, _time_of(file.readline())) if number else None
        except FileNotFoundError:
            return None

    def _position(self, path: Path) -> int:
        position = DrainPosition.objects.filter(source=f"file:{path.name}").first()
        return int(position.position) if position else 0


class RedisRecorder(Recorder):
    """A Redis Stream, for rates that a database would not take one by one."""

    PREFIX = "wagtail_email_insights:hits"
    TIMEOUT = 1.0

    def __init__(self, secret_key: str | bytes | None = None) -> None:
        # Sites that share a server do not share their hits.
        self.stream = f"{self.PREFIX}:{spool.fingerprint(secret_key)}"
        self._away = Breaker(seconds=1.0)

    def write(self, lines: Sequence[str]) -> None:
        import redis

        try:
            # One entry for all: it costs Redis, and the client, as little as one hit would.
            self._redis.xadd(self.stream, {"lines": "\n".join(lines)})
        except redis.RedisError as error:
            raise RecorderAway from error

    def check(self) -> None:
        import redis

        try:
            entry = self._redis.xadd(f"{self.stream}:check", {"line": PROBE}, maxlen=1)
            self._redis.xdel(f"{self.stream}:check", entry)
        except redis.RedisError as error:
            raise RecorderAway from error

    def is_pending(self) -> bool:
        return bool(self._length())

    def backlogs(self) -> list[Backlog]:
        """Return what waits; the number is that of entries, which hold one hit or a few."""
        number = self._length()
        entries = self._entries(1) if number else []
        return [Backlog(number, _time_of(_lines_of(fields)[0])) for _key, fields in entries]

    def take(self, limit: int) -> Batch:
        entries = self._entries(limit)
        taken: list[bytes] = []
        mark = None
        for key, fields in entries:
            lines = _lines_of(fields)
            if taken and len(taken) + len(lines) > limit:
                return Batch(taken, mark, is_last=False)
            taken += lines
            mark = key.decode()
        return Batch(taken, mark, is_last=len(entries) < limit)

    def done(self, batch: Batch) -> None:
        _set_position(self._source, batch.mark)

    def clean_up(self, batch: Batch) -> None:
        import redis

        if batch.mark is None:
            return
        milliseconds, _, number = batch.mark.partition("-")
        try:
            self._redis.xtrim(
                self.stream, minid=f"{milliseconds}-{int(number) + 1}", approximate=False
            )
        except redis.RedisError as error:
            raise RecorderAway from error

    def _entries(self, limit: int) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """Return the oldest entries that are not done; raises RecorderAway."""
        import redis

        position = DrainPosition.objects.filter(source=self._source).first()
        after = f"({position.position}" if position else "-"
        try:
            return self._redis.xrange(self.stream, min=after, count=limit)
        except redis.RedisError as error:
            raise RecorderAway from error

    def _length(self) -> int:
        """Return how many entries wait; raises RecorderAway, at once where it was just away."""
        import redis

        if self._away.is_open:
            # Whoever looks at figures does not wait for it again and again.
            raise RecorderAway("not asked: it was away a moment ago")
        try:
            return self._redis.xlen(self.stream)
        except redis.RedisError as error:
            self._away.trip()
            raise RecorderAway from error

    @cached_property
    def _source(self) -> str:
        # A server of its own has a clock of its own: positions in one say nothing about another.
        server = hashlib.sha256(app_settings.redis_url.encode()).hexdigest()[:16]
        return f"{self.stream}@{server}"

    @cached_property
    def _redis(self) -> Any:
        import redis

        return redis.Redis.from_url(
            app_settings.redis_url,
            socket_timeout=self.TIMEOUT,
            socket_connect_timeout=self.TIMEOUT,
        )


def recorder() -> Recorder:
    """Return where hits go, by the setting ``recorder``."""
    return _made(app_settings.recorder, app_settings.redis_url, _database_waits())


def sources() -> list[Recorder]:
    """Return every place that hits may lie in: the recorder, and where they went without it."""
    mine = recorder()
    others: list[Recorder] = [_FILE] if _database_waits() else [_FILE, _TABLE]
    if isinstance(mine, RedisRecorder):
        others += _of_former_keys(tuple(settings.SECRET_KEY_FALLBACKS), app_settings.redis_url)
    return [mine, *(other for other in others if other is not mine)]


def _database_waits() -> bool:
    """Whether a writer has to wait for every other, as on SQLite: seconds, while a send runs."""
    return not connections[router.db_for_write(Hit)].features.has_select_for_update


def _time_of(line: str | bytes) -> datetime | None:
    """Return when the hit in *line* happened; None for a line that nobody can read."""
    try:
        return Observation.read(line).at
    except UnreadableHit:
        return None


def _lines_left(file: BinaryIO) -> int:
    """Return about how many lines follow, and stay where we are."""
    start = file.tell()
    sample = file.read(SAMPLE)
    left = os.fstat(file.fileno()).st_size - start
    file.seek(start)
    return sample.count(b"\n") * left // len(sample) if sample else 0


def _lines_of(fields: dict[bytes, bytes]) -> list[bytes]:
    return fields.get(b"lines", b"").split(b"\n")


def _set_position(source: str, position: str) -> None:
    DrainPosition.objects.update_or_create(source=source, defaults={"position": position})


@lru_cache(maxsize=4)
def _of_former_keys(keys: tuple[str | bytes, ...], _redis_url: str) -> list[Recorder]:
    return [RedisRecorder(key) for key in keys]


_FILE = FileRecorder()
_TABLE = TableRecorder()
_others: dict[tuple[str, str], Recorder] = {}


def _made(name: str, redis_url: str, database_waits: bool) -> Recorder:
    if name == "database":
        return _FILE if database_waits else _TABLE
    key = (name, redis_url)
    if key not in _others:
        _others[key] = RedisRecorder() if name == "redis" else import_string(name)()
    return _others[key]
