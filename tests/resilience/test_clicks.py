"""Clicks while everything else goes wrong: who is answered is counted, and counted once."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing

import pytest

from tests.processes import Site, running_site, wait_until
from tests.resilience.crowd import Answer, Crowd

pytestmark = pytest.mark.slow

COPIES = "SELECT copy, count(*) FROM wagtail_email_insights_event GROUP BY copy"
EVENTS = "SELECT count(*) FROM wagtail_email_insights_event"
needs_postgres = pytest.mark.postgres


@pytest.fixture
def make_site(tmp_path_factory) -> Iterator:
    """A site without mail server, on SQLite unless a PostgreSQL is given."""
    with ExitStack() as stack:

        def make(postgres=None, redis=None, name: str = "clicks", **settings: object) -> Site:
            if redis:
                settings |= {
                    "recorder": "redis",
                    "redis_url": f"redis://127.0.0.1:{redis.port}/0",
                }
            site = running_site(
                tmp_path_factory.mktemp(name),
                0,
                settings="tests.resilience.settings",
                database_url=postgres.url if postgres else "",
                variables={
                    "STORY_EMAIL_INSIGHTS": json.dumps(settings),
                    "STORY_CONN_MAX_AGE": "null",
                },
            )
            return stack.enter_context(site)

        yield make


@pytest.fixture(
    params=[
        "file",
        pytest.param("table", marks=needs_postgres),
        pytest.param("stream", marks=needs_postgres),
    ]
)
def site(request, make_site) -> Site:
    """One site for each recorder: a file beside SQLite, a table of PostgreSQL, a Redis Stream."""
    services = {"file": (), "table": ("postgres",), "stream": ("postgres", "redis")}
    return make_site(**{name: request.getfixturevalue(name) for name in services[request.param]})


def test_who_was_answered_is_counted_although_the_server_was_told_to_end(site: Site):
    paths = addresses(site, 6000)
    web = site.start_gunicorn()
    with Crowd(host(site), paths, rate=1000) as crowd:
        wait_until(lambda: len(crowd.answered) > 500, seconds=60, what="some answers")
        web.popen.terminate()
        assert web.wait(seconds=60) == 0
        wait_until(lambda: crowd.answers[-1].status == 0, seconds=60, what="a closed door")
    assert len(crowd.answered) > 500
    assert_each_is_counted_once(site, paths, crowd.answered)


def test_nothing_is_lost_or_counted_twice_when_whoever_drains_is_killed(site: Site):
    number = 2000
    stage(site, f"put_down({number})")
    for _kill in range(4):
        before = site.query(EVENTS)[0][0]
        worker = site.start("shell", "-v0", "-c", STAGE + "drain_in_small_batches()")
        goal = before + random.randrange(1, 300)
        wait_until(lambda goal=goal: site.query(EVENTS)[0][0] >= goal, seconds=60, what="events")
        assert worker.is_running, "it was done before it could be killed"
        worker.kill()
    assert site.query(EVENTS)[0][0] < number, "the kills came too late"
    assert wrong_sums(site) == []
    assert dict(site.query(COPIES)) == {-copy: 1 for copy in range(1, number + 1)}


@needs_postgres
@pytest.mark.parametrize("recorder", ["table", "stream"])
def test_readers_are_sent_on_while_the_database_is_away(make_site, postgres, request, recorder):
    redis = request.getfixturevalue("redis") if recorder == "stream" else None
    site = make_site(postgres, redis)
    paths = addresses(site, 3000)
    site.start_gunicorn()
    with Crowd(host(site), paths, rate=40) as crowd:
        wait_until(lambda: len(crowd.answered) > 80, seconds=60, what="both processes to know")
        postgres.stop()
        time.sleep(8)
        postgres.start()
        time.sleep(3)
    assert {answer.status for answer in crowd.answers} == {302}
    assert_each_is_counted_once(site, paths, crowd.answered)
    assert site.query(EVENTS)[0][0] == len(crowd.answers)


def test_no_click_waits_for_whoever_writes_to_sqlite(make_site):
    site = make_site()
    paths = addresses(site, 1000)
    site.start_gunicorn()
    with Crowd(host(site), paths, rate=30) as crowd:
        wait_until(lambda: len(crowd.answered) > 60, seconds=60, what="both processes to know")
        with closing(sqlite3.connect(site.database, isolation_level=None)) as writer:
            writer.execute("PRAGMA busy_timeout = 20000")
            writer.execute("BEGIN EXCLUSIVE")
            locked = time.monotonic()
            time.sleep(3)
            freed = time.monotonic()
            writer.execute("ROLLBACK")
    meanwhile = [answer for answer in crowd.answers if locked < answer.due < locked + 1]
    assert len(meanwhile) > 20
    assert all(answer.status == 302 and answer.at < freed for answer in meanwhile)
    assert_each_is_counted_once(site, paths, crowd.answered)


STAGE = "from tests.resilience.click_stage import *; "


def stage(site: Site, call: str) -> str:
    return site.shell(STAGE + call)


def addresses(site: Site, number: int) -> list[str]:
    return json.loads(stage(site, f"print_addresses({number})"))


def host(site: Site) -> str:
    return site.url.removeprefix("http://")


def wrong_sums(site: Site) -> list[str]:
    return json.loads(stage(site, "print_wrong_sums()"))


def assert_each_is_counted_once(
    site: Site, paths: Sequence[str], answered: Sequence[Answer]
) -> None:
    """Also: nothing that nobody did, and the sums are those of the events."""
    assert wrong_sums(site) == []
    counted = Counter(dict(site.query(COPIES)))
    copies = {path: -copy for copy, path in enumerate(paths, start=1)}
    assert {copies[answer.path] for answer in answered} <= set(counted)
    assert set(counted.values()) == {1}
