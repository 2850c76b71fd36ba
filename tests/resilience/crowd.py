"""Readers who follow links at a steady pace, however long the answers take."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PATIENCE = 30.0


@dataclass(frozen=True)
class Answer:
    path: str
    status: int
    """0: there was none."""
    due: float
    """When the reader clicked; from then on they wait, whether or not anybody listens."""
    at: float

    @property
    def seconds(self) -> float:
        return self.at - self.due


@dataclass
class Crowd:
    """Follows each of *paths* once, so many a second, and notes what came of it.

    Connections are kept, as a proxy in front of the site keeps them.
    """

    host: str
    paths: Sequence[str]
    rate: float
    connections: int = 16
    answers: list[Answer] = field(default_factory=list)

    def __enter__(self) -> Crowd:
        self._next = 0
        self._turn = threading.Lock()
        self._is_over = threading.Event()
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._click) for _ in range(self.connections)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Click no more, and wait for the answers that are still due."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE)

    @property
    def answered(self) -> list[Answer]:
        """Those who were sent on to their page."""
        return [answer for answer in self.answers if answer.status == 302]

    def slowest(self, share: float) -> float:
        """Return the seconds within which all but this *share* of the answers came."""
        seconds = sorted(answer.seconds for answer in self.answers)
        return seconds[min(len(seconds) - 1, int(len(seconds) * (1 - share)))]

    def _click(self) -> None:
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        while not self._is_over.is_set():
            path, due = self._take()
            if not path or self._is_over.wait(max(0.0, due - time.monotonic())):
                break
            status = self._follow(connection, path)
            self.answers.append(Answer(path, status, due, time.monotonic()))
        connection.close()

    def _take(self) -> tuple[str, float]:
        with self._turn:
            number, self._next = self._next, self._next + 1
        path = self.paths[number] if number < len(self.paths) else ""
        return path, self._began + number / self.rate

    def _follow(self, connection: http.client.HTTPConnection, path: str) -> int:
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", path, headers={"User-Agent": BROWSER})
            response = connection.getresponse()
            response.read()
            return response.status
        connection.close()
        return 0
