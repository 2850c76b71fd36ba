"""The database goes away in the middle of a send and comes back: nobody is left in doubt."""

from __future__ import annotations

import time

import pytest

from tests.processes import Oracle, running_site, wait_until
from tests.resilience.accounts import Account, is_sent

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

PEOPLE = 600
TIMES = 3
AWAY = 3.0


def test_what_was_sent_meanwhile_is_written_down_afterwards(tmp_path, tmp_path_factory, postgres):
    with (
        Oracle(tmp_path / "accepted.txt", delay=0.02) as oracle,
        running_site(
            tmp_path_factory.mktemp("away"),
            oracle.port,
            settings="tests.resilience.settings",
            database_url=postgres.url,
            variables={"STORY_CONN_MAX_AGE": "null"},
        ) as site,
    ):
        site.shell(f"from tests.resilience.stage import start_mailing; start_mailing({PEOPLE})")
        cluster = site.start_cluster()
        for _time in range(TIMES):
            before = len(oracle.mails)
            wait_until(
                lambda before=before: len(oracle.mails) > before + 20,
                seconds=120,
                what=f"some mails {site.diary}",
            )
            postgres.stop()
            time.sleep(AWAY)
            postgres.start()
        in_between = len(oracle.mails)
        wait_until(lambda: is_sent(site), seconds=180, what=f"the end of the mailing {site.diary}")
        Account.of(site, oracle).check(people=PEOPLE, uncertain_at_most=0)
        assert in_between < PEOPLE, "the database was away when all was over"
        assert "trying again" in cluster.said
