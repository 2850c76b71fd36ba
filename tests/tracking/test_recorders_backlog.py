"""What each recorder tells of the hits that wait in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import transaction

from tests.processes import NotInstalled, Redis, free_port
from wagtail_email_insights.tracking import recorders, spool
from wagtail_email_insights.tracking.hits import Observation
from wagtail_email_insights.tracking.recorders import (
    Backlog,
    FileRecorder,
    Recorder,
    RecorderAway,
    TableRecorder,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def redis(settings) -> Iterator[Recorder]:
    try:
        server = Redis().__enter__()
    except NotInstalled as error:
        pytest.skip(str(error))
    url = f"redis://127.0.0.1:{server.port}/0"
    settings.WAGTAIL_EMAIL_INSIGHTS = {"recorder": "redis", "redis_url": url}
    yield recorders.recorder()
    server.__exit__()


@pytest.fixture(params=["file", "table", pytest.param("redis", marks=pytest.mark.postgres)])
def place(request) -> Recorder:
    if request.param == "redis":
        return request.getfixturevalue("redis")
    return {"file": FileRecorder, "table": TableRecorder}[request.param]()


def at(minute: int) -> datetime:
    return datetime(2026, 6, 18, 12, minute, tzinfo=UTC)


def line(minute: int) -> str:
    return Observation("open", at(minute), 1, None, False, 7, 0, "human", "").line()


def test_the_oldest_hit_and_their_number_are_told(place):
    assert place.backlogs() == []
    for minute in (5, 6, 7):
        place.write([line(minute)])
    assert place.backlogs() == [Backlog(3, at(5))]


def test_what_is_done_waits_no_more(place):
    for minute in (5, 6, 7):
        place.write([line(minute)])
    with transaction.atomic():
        place.done(batch := place.take(2))
    place.clean_up(batch)
    assert place.backlogs() == [Backlog(1, at(7))]
    with transaction.atomic():
        place.done(place.take(9))
    assert place.backlogs() == [], "though nobody has cleaned up yet"


def test_of_a_line_that_is_no_hit_the_age_is_unknown(place):
    place.write(["{no hit"])
    place.write([line(5)])
    assert place.backlogs() == [Backlog(2, None)]


def test_looking_takes_nothing_away(place):
    place.write([line(5)])
    place.backlogs()
    with transaction.atomic():
        assert len(place.take(9).lines) == 1


def test_each_file_is_told_by_itself():
    place = FileRecorder()
    place.write([line(5)])
    with transaction.atomic():
        place.take(9)
    place.write([line(6), line(7)])
    told = sorted(place.backlogs(), key=lambda backlog: backlog.since)
    assert told == [Backlog(1, at(5)), Backlog(2, at(6))]


def test_of_a_large_file_the_number_is_estimated(monkeypatch):
    place = FileRecorder()
    place.write([line(5)] * 1000)
    monkeypatch.setattr(recorders, "SAMPLE", 10 * len(line(5)))
    [backlog] = place.backlogs()
    assert 800 < backlog.number < 1200


def test_a_file_that_is_drained_this_moment_is_no_trouble(monkeypatch, tmp_path):
    monkeypatch.setattr(spool, "waiting", lambda: iter([tmp_path / "replay-gone.jsonl"]))
    assert FileRecorder().backlogs() == []


def test_a_recorder_of_the_hosts_own_need_not_tell():
    class Own(TableRecorder):
        backlogs = Recorder.backlogs

    place = Own()
    assert place.backlogs() == []
    place.write([line(5)])
    assert place.backlogs() == [Backlog(None, None)]


def test_a_redis_that_is_away_is_said_to_be_away(settings):
    pytest.importorskip("redis")
    url = f"redis://127.0.0.1:{free_port()}/0"
    settings.WAGTAIL_EMAIL_INSIGHTS = {"recorder": "redis", "redis_url": url}
    with pytest.raises(RecorderAway):
        recorders.recorder().backlogs()
