"""Every recorder keeps the same promises; here also the one that needs a Redis server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from tests.factories import make_mailing
from tests.processes import NotInstalled, Redis, free_port
from wagtail_email_insights.tracking import draining, recorders, recording, spool, tallies
from wagtail_email_insights.tracking.hits import Observation
from wagtail_email_insights.tracking.models import DrainPosition, Event
from wagtail_email_insights.tracking.recorders import (
    FileRecorder,
    Recorder,
    RecorderAway,
    RedisRecorder,
    TableRecorder,
)
from wagtail_email_insights.tracking.writing import GroupWriter

pytestmark = pytest.mark.django_db

redis_is_needed = pytest.mark.postgres
"""The mark of tests that need a service."""


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    try:
        server = Redis().__enter__()
    except NotInstalled as error:
        pytest.skip(str(error))
    yield server
    server.__exit__()


@pytest.fixture
def redis(server, settings) -> Iterator[RedisRecorder]:
    settings.WAGTAIL_EMAIL_INSIGHTS = {"recorder": "redis", "redis_url": url(server.port)}
    yield recorders.recorder()
    server.flush()


@pytest.fixture(params=["file", "table", pytest.param("redis", marks=redis_is_needed)])
def place(request, monkeypatch) -> Recorder:
    made: Recorder
    if request.param == "redis":
        made = request.getfixturevalue("redis")
    else:
        made = {"file": FileRecorder, "table": TableRecorder}[request.param]()
    monkeypatch.setattr(draining, "sources", lambda: [made])
    return made


@pytest.fixture
def mailing():
    return make_mailing(state="sent")


def url(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


def lines(mailing, *copies: int) -> list[str]:
    return [
        Observation("open", timezone.now(), mailing.pk, None, False, copy, 0, "human", "").line()
        for copy in copies
    ]


def copies() -> list[int]:
    return sorted(-copy for copy in Event.objects.values_list("copy", flat=True))


def test_what_was_written_waits_until_it_is_done(place, mailing):
    assert not place.is_pending()
    place.write(lines(mailing, 1))
    place.write(lines(mailing, 2, 3))
    assert place.is_pending()
    for _again in range(2):
        with transaction.atomic():
            batch = place.take(10)
            assert [Observation.read(line).copy for line in batch.lines] == [1, 2, 3]
    with transaction.atomic():
        place.done(place.take(10))
    with transaction.atomic():
        assert not place.take(10).lines


def test_hits_become_events_once_and_in_order(place, mailing):
    place.write(lines(mailing, 1, 2))
    assert recording.drain() == 2
    place.write(lines(mailing, 3))
    assert recording.drain() == 1
    assert copies() == [1, 2, 3]
    assert not place.is_pending()
    assert tallies.audit(mailing) == []


def test_batches_are_as_small_as_asked(place, mailing, monkeypatch):
    monkeypatch.setattr(draining, "LIMIT", 2)
    for line in lines(mailing, *range(1, 6)):
        place.write([line])
    assert recording.drain(batches=1) == 2
    assert recording.drain() == 3
    assert copies() == [1, 2, 3, 4, 5]


def test_a_transaction_that_fails_leaves_everything(place, mailing):
    place.write(lines(mailing, 1))

    with transaction.atomic():
        place.done(place.take(10))
        transaction.set_rollback(True)
    assert recording.drain() == 1
    assert copies() == [1]


def test_dying_before_the_cleaning_up_counts_nothing_twice(place, mailing, monkeypatch):
    place.write(lines(mailing, 1, 2))
    with monkeypatch.context() as patch:
        patch.setattr(place, "clean_up", lambda _batch: None)
        recording.drain(batches=1)
    place.write(lines(mailing, 3))
    recording.drain()
    assert copies() == [1, 2, 3]
    assert not place.is_pending()


def test_looking_whether_it_works_leaves_no_trace(place, mailing):
    place.check()
    assert not place.is_pending()
    assert recording.drain() == 0
    assert not Event.objects.exists()


@redis_is_needed
def test_the_setting_chooses_redis_and_what_went_elsewhere_meanwhile_is_found(redis, mailing):
    spool.append(lines(mailing, 1))
    redis.write(lines(mailing, 2))
    assert recording.is_pending()
    assert recording.drain() == 2
    assert copies() == [1, 2]


@redis_is_needed
def test_what_redis_forgot_is_no_trouble_for_what_comes_after(redis, server, mailing):
    redis.write(lines(mailing, 1))
    recording.drain()
    server.flush()
    redis.write(lines(mailing, 2))
    recording.drain()
    assert copies() == [1, 2]


@redis_is_needed
def test_a_stream_does_not_grow(redis, mailing):
    for copy in range(1, 4):
        redis.write(lines(mailing, copy))
        recording.drain()
    assert not redis.is_pending()
    assert DrainPosition.objects.filter(source__startswith=redis.stream).count() == 1


@redis_is_needed
def test_a_line_that_is_no_hit_is_put_aside(redis, mailing):
    redis.write(["{no hit", *lines(mailing, 1)])
    recording.drain()
    assert copies() == [1]
    assert (spool.directory() / spool.BAD_FILE_NAME).read_text() == "{no hit\n"


@redis_is_needed
def test_several_lines_are_written_all_or_none(redis, server, mailing):
    redis.write(lines(mailing, 1, 2, 3))
    assert [Observation.read(line).copy for line in redis.take(10).lines] == [1, 2, 3]


@pytest.fixture
def nobody(settings) -> RedisRecorder:
    pytest.importorskip("redis")
    settings.WAGTAIL_EMAIL_INSIGHTS = {"recorder": "redis", "redis_url": url(free_port())}
    return recorders.recorder()


@pytest.mark.parametrize(
    "verb",
    [
        lambda place: place.write(["1"]),
        lambda place: place.write(["1", "2"]),
        lambda place: place.check(),
        lambda place: place.is_pending(),
        lambda place: place.take(1),
    ],
    ids=["write", "write many", "check", "is_pending", "take"],
)
def test_a_redis_that_is_away_is_said_to_be_away(nobody, verb):
    with pytest.raises(RecorderAway):
        verb(nobody)


def test_hits_go_to_the_spool_while_redis_is_away(nobody, mailing, caplog):
    writer = GroupWriter()
    for line in lines(mailing, 1, 2):
        writer.write(line)
    # One try, then a second of rest.
    assert caplog.text.count("The recorder takes no hits") == 1
    assert spool.is_pending()
    with pytest.raises(RecorderAway):
        recording.drain()
    assert not spool.is_pending(), "Redis being away keeps nothing else waiting"
    assert Event.objects.count() == 2


def test_redis_is_not_asked_for_where_it_is_not_used():
    code = (
        "import django, sys; django.setup(); "
        "from wagtail_email_insights.tracking import recorders; recorders.recorder(); "
        "print('redis' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_path_names_a_recorder_of_the_hosts_own():
    with override_settings(
        WAGTAIL_EMAIL_INSIGHTS={
            "recorder": "wagtail_email_insights.tracking.recorders.FileRecorder"
        }
    ):
        assert isinstance(recorders.recorder(), FileRecorder)
