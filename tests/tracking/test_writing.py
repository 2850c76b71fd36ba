"""Many readers at once: one write for all that wait, and nobody waits long."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from wagtail_email_insights.tracking import spool, writing
from wagtail_email_insights.tracking.recorders import RecorderAway
from wagtail_email_insights.tracking.writing import GroupWriter


class Place:
    """A recorder that takes hits only while its door is open."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.asked = threading.Semaphore(0)
        self.door = threading.Event()
        self.is_away = False

    @property
    def lines(self) -> list[str]:
        return [line for group in self.groups for line in group]

    def write(self, lines: list[str]) -> None:
        self.asked.release()
        assert self.door.wait(10)
        if self.is_away:
            raise RecorderAway
        self.groups.append(list(lines))


@pytest.fixture
def place(monkeypatch) -> Place:
    place = Place()
    monkeypatch.setattr(writing, "recorder", lambda: place)
    return place


def readers(write: Callable[[str], None], *lines: str) -> list[threading.Thread]:
    threads = [threading.Thread(target=write, args=[line]) for line in lines]
    for thread in threads:
        thread.start()
    return threads


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come to that")


def spooled() -> list[str]:
    path = spool.directory() / spool.FILE_NAME
    return path.read_text().splitlines() if path.exists() else []


def test_whoever_comes_during_a_write_is_in_the_next_one(place):
    writer = GroupWriter()
    threads = readers(writer.write, "first")
    assert place.asked.acquire(timeout=10)
    threads += readers(writer.write, *"abcde")
    wait_for(lambda: len(writer._waiting) == 5)
    place.door.set()
    join(threads)
    assert place.groups[0] == ["first"]
    assert sorted(place.groups[1]) == list("abcde")
    assert len(place.groups) == 2


def test_many_at_once_are_all_written_and_none_twice(place):
    writer = GroupWriter()
    place.door.set()

    def write_many(start: str) -> None:
        for number in range(200):
            writer.write(f"{start}{number}")

    join(readers(write_many, *"abcdefgh"))
    assert sorted(place.lines) == sorted(f"{start}{n}" for start in "abcdefgh" for n in range(200))
    assert spooled() == []


def test_who_has_waited_long_enough_goes_to_the_spool_and_nowhere_else(place, monkeypatch):
    monkeypatch.setattr(writing, "PATIENCE", 0.05)
    writer = GroupWriter()
    slow = readers(writer.write, "slow")
    assert place.asked.acquire(timeout=10)
    join(readers(writer.write, "impatient"))
    assert spooled() == ["impatient"]
    place.door.set()
    join(slow)
    writer.write("later")
    assert place.lines == ["slow", "later"]


def test_everybody_in_a_group_that_is_refused_goes_to_the_spool(place):
    writer = GroupWriter()
    place.is_away = True
    threads = readers(writer.write, "first")
    assert place.asked.acquire(timeout=10)
    threads += readers(writer.write, "a", "b")
    wait_for(lambda: len(writer._waiting) == 2)
    place.door.set()
    join(threads)
    assert place.lines == []
    assert sorted(spooled()) == ["a", "b", "first"]


def test_every_reader_hears_that_nobody_takes_the_hits(place, monkeypatch):
    def full(_lines: list[str]) -> None:
        raise OSError("no room left")

    monkeypatch.setattr(spool, "append", full)
    writer, refused = GroupWriter(), []

    def write(line: str) -> None:
        try:
            writer.write(line)
        except RecorderAway:
            refused.append(line)

    place.is_away = True
    threads = readers(write, "first")
    assert place.asked.acquire(timeout=10)
    threads += readers(write, "a", "b")
    wait_for(lambda: len(writer._waiting) == 2)
    place.door.set()
    join(threads)
    assert sorted(refused) == ["a", "b", "first"]


def test_a_recorder_with_a_fault_of_its_own_stops_nobody(place, monkeypatch):
    writer = GroupWriter()
    place.door.set()

    def fault(_lines: list[str]) -> None:
        raise ValueError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(place, "write", fault)
        writer.write("first")
    assert spool.is_pending()
    writer._away.reset()
    writer.write("second")
    assert place.lines == ["second"]
