"""Two hosts, each with a cluster and a scheduler, on one PostgreSQL and one Redis."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.processes import Oracle, Postgres, Redis, running_site, wait_until
from tests.resilience.accounts import Account, is_sent

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

PEOPLE = 3000
HOSTS = ("one.example", "two.example")


def test_two_clusters_share_one_mailing(tmp_path, postgres, redis):
    folder = tmp_path / "site"
    folder.mkdir()
    with (
        Oracle(tmp_path / "accepted.txt", delay=0.01) as oracle,
        site_on(folder, oracle, postgres, redis) as site,
    ):
        for host in HOSTS:
            site.variables["STORY_HOST"] = host
            site.start_cluster()
        site.shell(f"from tests.resilience.stage import start_mailing; start_mailing({PEOPLE})")
        wait_until(lambda: is_sent(site), seconds=120, what=f"the end of the mailing {site.diary}")
        Account.of(site, oracle).check(people=PEOPLE, uncertain_at_most=0)
        shares = Counter(mail.client for mail in oracle.mails)
        assert set(shares) == set(HOSTS)
        assert min(shares.values()) > PEOPLE / 10, shares


def test_several_schedulers_start_a_scheduled_mailing_once(tmp_path, postgres, redis):
    folder = tmp_path / "site"
    folder.mkdir()
    with (
        Oracle(tmp_path / "accepted.txt") as oracle,
        site_on(folder, oracle, postgres, redis) as site,
    ):
        site.shell("from tests.resilience.stage import schedule_mailing; schedule_mailing(200)")
        for host in HOSTS:
            site.variables["STORY_HOST"] = host
            site.start_cluster()
        wait_until(lambda: is_sent(site), seconds=90, what=f"the end of the mailing {site.diary}")
        Account.of(site, oracle).check(people=200, uncertain_at_most=0)


def site_on(folder: Path, oracle: Oracle, postgres: Postgres, redis: Redis):
    return running_site(
        folder,
        oracle.port,
        settings="tests.resilience.settings",
        database_url=postgres.url,
        variables={"STORY_REDIS_PORT": str(redis.port)},
    )
