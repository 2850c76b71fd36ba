"""Who writes again and again on SQLite lets others in."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test import override_settings

from tests.factories import make_mailing
from wagtail_email_insights.mailings.models import Mailing
from wagtail_email_insights.tracking import (
    draining,
    ledger,
    recording,
    rejudging,
    retention,
    spool,
    tallies,
    turns,
)
from wagtail_email_insights.tracking.hits import Observation
from wagtail_email_insights.tracking.models import Event
from wagtail_email_insights.tracking.turns import LONGEST, PAUSE, turn

LONG_AGO = datetime(2020, 1, 2, tzinfo=UTC)


class Clock:
    """Stands still but for what is slept and worked."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(turns, "time", clock)
    monkeypatch.setattr(turns, "_state", turns._State())
    monkeypatch.setattr(turns, "_has_one_writer", lambda: True)
    return clock


def work(clock: Clock, *seconds: float) -> None:
    for long in seconds:
        with turn():
            clock.now += long


def test_after_a_long_transaction_it_is_somebody_elses_turn(clock):
    work(clock, 2 * LONGEST)
    assert not clock.slept, "nothing comes after it: nobody is kept out"
    work(clock, 2 * LONGEST)
    assert clock.slept == PAUSE
    work(clock, 0.01)
    assert clock.slept == 2 * PAUSE


def test_short_transactions_add_up(clock):
    work(clock, *[LONGEST / 4] * 5)
    assert not clock.slept
    work(clock, *[LONGEST / 4] * 5)
    assert clock.slept == PAUSE


def test_whoever_had_a_break_goes_on_at_once(clock):
    for _ in range(9):
        work(clock, 2 * LONGEST)
        clock.now += PAUSE
    assert not clock.slept


def test_a_transaction_that_failed_was_a_turn_too(clock):
    def fail() -> None:
        with turn():
            clock.now += 2 * LONGEST
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fail()
    assert clock.slept == PAUSE


def test_work_is_counted_and_not_the_time_between(clock):
    for _ in range(9):
        work(clock, LONGEST / 10)
        clock.now += PAUSE * 0.9
    assert not clock.slept


def test_each_thread_has_turns_of_its_own(clock):
    other = threading.Thread(target=work, args=(clock, 2 * LONGEST))
    other.start()
    other.join()
    work(clock, 0.01)
    assert not clock.slept


@pytest.mark.django_db(transaction=True)
def test_on_sqlite_others_wait():
    assert turns._has_one_writer() is (connection.vendor == "sqlite")
    with transaction.atomic():
        assert not turns._has_one_writer(), "they wait on, whatever we do"


def test_where_rows_are_locked_nobody_waits(clock, monkeypatch):
    monkeypatch.setattr(turns, "_has_one_writer", lambda: False)
    work(clock, *[2 * LONGEST] * 9)
    assert not clock.slept


def test_whoever_waits_for_the_writer_gets_it(tmp_path, monkeypatch):
    """With real locks: else it waits until its patience is over."""
    monkeypatch.setattr(turns, "_has_one_writer", lambda: True)
    path, is_over = tmp_path / "turns.sqlite3", threading.Event()
    busy = threading.Event()

    def hog() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as mine:
            while not is_over.is_set():
                with turn():
                    mine.execute("BEGIN IMMEDIATE")
                    busy.set()
                    time.sleep(0.05)
                    mine.execute("COMMIT")

    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as other:
        other.execute("CREATE TABLE things (name)")
        thread = threading.Thread(target=hog)
        thread.start()
        try:
            busy.wait()
            for _ in range(5):
                other.execute("INSERT INTO things VALUES ('one')")
        finally:
            is_over.set()
            thread.join()


@pytest.mark.django_db(transaction=True)
class TestLongChores:
    """Each takes a turn for each of its transactions: here, all of them are too long."""

    @pytest.fixture(autouse=True)
    def impatience(self, clock, monkeypatch):
        monkeypatch.setattr(turns, "LONGEST", -1)
        monkeypatch.setattr(draining, "LIMIT", 2)
        monkeypatch.setattr(rejudging, "BATCH_COPIES", 2)
        monkeypatch.setattr(retention, "BATCH", 2)

    @pytest.mark.parametrize(
        ("batches", "pauses"), [(None, 2), (10, 2), pytest.param(3, 0, id="for a page")]
    )
    def test_draining(self, clock, mailing, tmp_path, batches, pauses):
        with override_settings(WAGTAIL_EMAIL_INSIGHTS={"spool_directory": tmp_path}):
            for copy in range(1, 6):
                spool.append([opened(mailing, copy)])
            assert recording.drain(batches=batches) == 5
        assert clock.slept == pytest.approx(pauses * PAUSE)

    def test_judging_again(self, clock, mailing):
        happen(mailing, 6)
        rejudging.rejudge(mailing)
        assert clock.slept == pytest.approx(2 * PAUSE)

    def test_counting_anew(self, clock, mailing):
        for each in (mailing, make_mailing(state="sent"), make_mailing(state="sent")):
            assert tallies.rebuild(each)
        assert clock.slept == pytest.approx(2 * PAUSE)

    def test_catching_up(self, clock, mailing):
        make_mailing(state="sent", started_at=LONG_AGO)
        assert tallies.catch_up() == 2
        assert clock.slept == pytest.approx(PAUSE)

    def test_forgetting(self, clock, mailing):
        happen(mailing, 6)
        with override_settings(WAGTAIL_EMAIL_INSIGHTS={"retention_days": 30}):
            assert retention.forget_old() == 6
        # One turn to say that they go, one for the probes, three for the events.
        assert clock.slept == pytest.approx(4 * PAUSE)


@pytest.fixture
def mailing():
    return make_mailing(state="sent", started_at=LONG_AGO, finished_at=LONG_AGO)


def happen(mailing: Mailing, copies: int) -> None:
    ledger.store(
        [
            Event(kind="open", mailing=mailing, copy=-number, at=LONG_AGO)
            for number in range(1, copies + 1)
        ]
    )


def opened(mailing: Mailing, copy: int) -> str:
    return Observation("open", LONG_AGO, mailing.pk, None, False, copy, 0, "human", "").line()
