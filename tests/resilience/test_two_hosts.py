"""Two web hosts, each with a spool of its own, on one PostgreSQL: the sums stay right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.processes import Postgres, Site, running_site, wait_until
from tests.resilience.crowd import Crowd

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

PEOPLE = 60
ROUNDS = 15
KINDS = "SELECT kind, count(*) FROM wagtail_email_insights_event GROUP BY kind"
NAMED = """
    SELECT count(*) FROM wagtail_email_insights_event
    WHERE kind = 'click' AND contact_id IS NOT NULL
"""
STAGE = "from tests.resilience.click_stage import *; "


def test_everybody_drains_while_people_leave_and_withdraw(tmp_path, postgres):
    with (
        host_on(tmp_path / "one", postgres) as one,
        host_on(tmp_path / "two", postgres) as two,
    ):
        paths = ROUNDS * json.loads(one.shell(STAGE + f"print_addresses_of_people({PEOPLE})"))
        for host in (one, two):
            host.start_gunicorn()
            host.start("shell", "-v0", "-c", STAGE + "drain_for_ever()")
        leaving = [
            host.start("shell", "-v0", "-c", STAGE + f"leave_and_withdraw({half})")
            for half, host in enumerate((one, two))
        ]
        with (
            Crowd(address_of(one), paths[::2], rate=60) as first,
            Crowd(address_of(two), paths[1::2], rate=60) as second,
        ):
            for process in leaving:
                assert process.wait(seconds=120) == 0, process.said
            wait_until(
                lambda: len(first.answers) + len(second.answers) == len(paths),
                seconds=120,
                what="all clicks",
            )
        assert len(first.answered) + len(second.answered) == len(paths)
        for host in (one, two):
            assert json.loads(host.shell(STAGE + "print_wrong_sums()")) == []
        counted = dict(one.query(KINDS))
        assert counted == {"click": len(paths), "unsubscribe": PEOPLE}
        assert one.query(NAMED) == [(0,)], "all have withdrawn"
        assert "deadlock" not in one.diary + two.diary + postgres.log


def host_on(folder: Path, postgres: Postgres) -> Site:
    folder.mkdir()
    return running_site(
        folder,
        0,
        settings="tests.resilience.settings",
        database_url=postgres.url,
        variables={"STORY_CONN_MAX_AGE": "null"},
    )


def address_of(site: Site) -> str:
    return site.url.removeprefix("http://")
