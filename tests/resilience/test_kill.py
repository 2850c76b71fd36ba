"""``kill -9`` while a mailing is on its way: nobody gets it twice, and the sum stays right."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.processes import Oracle, Site, running_site, wait_until
from tests.resilience.accounts import REFUSED, UNSUBSCRIBED
from wagtail_email_insights.conf import AppSettings
from wagtail_email_insights.queue import DEFAULT_Q_CLUSTER

pytestmark = pytest.mark.slow

PEOPLE = 2000
SECONDS = 120
IN_HAND_OVER = AppSettings().chunk_size * DEFAULT_Q_CLUSTER["workers"]
"""The most copies that one crash can leave in doubt."""

STATES = "SELECT state, count(*) FROM wagtail_email_insights_delivery GROUP BY state"
ADDRESSES = """
    SELECT contact.email FROM wagtail_email_insights_delivery AS delivery
    JOIN wagtail_email_insights_contact AS contact ON contact.id = delivery.contact_id
    WHERE delivery.state = ?
"""
AN_HOUR_PASSES = (
    "UPDATE wagtail_email_insights_delivery SET lease_until = datetime(lease_until, '-1 hour')",
    "UPDATE wagtail_email_insights_mailing SET worked_at = datetime(worked_at, '-1 hour')",
    'UPDATE django_q_ormq SET "lock" = datetime("lock", \'-1 hour\')',
)
"""Leases run out, and the queue hands out again what its dead workers had taken."""

PREPARE = """
from wagtail_email_insights.mailings.models import Mailing
from wagtail_email_insights.sending.preparing import prepare
prepare(Mailing.objects.get())
"""
WORK = """
from wagtail_email_insights.mailings.models import Mailing
from wagtail_email_insights.sending.batches import work_on
work_on(Mailing.objects.get(), seconds=60)
"""


class Meeting(Oracle):
    """Accepts nothing until two clients are in the middle of handing something over."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.peers: set[object] = set()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        self.peers.add(session.peer)
        envelope.rcpt_tos.append(address)
        while len(self.peers) < 2:
            await asyncio.sleep(0.01)
        return "250 OK"


@pytest.fixture
def oracle(tmp_path) -> Iterator[Oracle]:
    with Oracle(tmp_path / "accepted.txt", delay=0.003) as oracle:
        yield oracle


@pytest.fixture
def site(tmp_path_factory, oracle) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("kill"), oracle.port) as site:
        yield site


def test_killed_twice_in_the_middle_of_sending(site: Site, oracle: Oracle):
    kill_after = [random.randrange(100, 800), random.randrange(1000, 1700)]
    print(f"Killed after {kill_after} mails")
    site.shell(f"from tests.resilience.stage import start_mailing; start_mailing({PEOPLE})")
    for accepted in kill_after:
        kill_the_cluster(site, oracle, after=accepted)
    site.start_cluster()
    site.ring_the_alarm()
    wait_until(lambda: is_sent(site), seconds=SECONDS, what="the end of the mailing")
    assert_adds_up(site, oracle, uncertain_at_most=IN_HAND_OVER * len(kill_after))


def test_two_workers_on_one_mailing(tmp_path, tmp_path_factory):
    with (
        Meeting(tmp_path / "accepted.txt") as oracle,
        running_site(tmp_path_factory.mktemp("workers"), oracle.port) as site,
    ):
        site.shell("from tests.resilience.stage import start_mailing; start_mailing(400)")
        site.shell(PREPARE)
        workers = [site.start("shell", "-v0", "-c", WORK) for _number in range(2)]
        assert [worker.wait(seconds=SECONDS) for worker in workers] == [0, 0], site.diary
        assert len({mail.peer for mail in oracle.mails}) == 2
        assert is_sent(site)
        assert_adds_up(site, oracle, people=400, uncertain_at_most=0)


def test_run_due_takes_over_from_a_dead_cluster(tmp_path, tmp_path_factory):
    """A site with nothing but cron: the command itself sends what the cluster left."""
    with (
        Oracle(tmp_path / "accepted.txt", delay=0.02) as oracle,
        running_site(tmp_path_factory.mktemp("cron"), oracle.port) as site,
    ):
        site.shell("from tests.resilience.stage import start_mailing; start_mailing(400)")
        kill_the_cluster(site, oracle, after=100)
        said = site.manage("email_insights", "run_due", "--seconds", "60")
        assert "\tsent\t" in said
        assert f"skipped {UNSUBSCRIBED}, waiting 0, audience {400 + UNSUBSCRIBED}" in said
        assert_adds_up(site, oracle, people=400, uncertain_at_most=IN_HAND_OVER)


def kill_the_cluster(site: Site, oracle: Oracle, *, after: int) -> None:
    """Start the cluster, and end it with all its workers once so many mails are accepted."""
    cluster = site.start_cluster()
    site.ring_the_alarm()
    wait_until(
        lambda: len(oracle.mails) >= after, seconds=SECONDS, what=f"{after} mails\n{site.diary}"
    )
    cluster.kill()
    assert not is_sent(site), "the kill came too late"
    for change in AN_HOUR_PASSES:
        site.query(change)


def is_sent(site: Site) -> bool:
    return site.query("SELECT state FROM wagtail_email_insights_mailing") == [("sent",)]


def assert_adds_up(
    site: Site, oracle: Oracle, *, people: int = PEOPLE, uncertain_at_most: int
) -> None:
    """Every contact has one mail, or is among the few of whom nobody can tell."""
    states = Counter(dict(site.query(STATES)))
    assert states.total() == people + UNSUBSCRIBED
    assert set(states) <= {"sent", "failed", "uncertain", "skipped"}
    assert states["skipped"] == UNSUBSCRIBED
    assert states["uncertain"] <= uncertain_at_most

    accepted = Counter(oracle.recipients)
    twice = {address for address, number in accepted.items() if number > 1}
    assert not twice
    sent, uncertain = addresses(site, "sent"), addresses(site, "uncertain")
    assert sent <= set(accepted)
    assert set(accepted) <= sent | uncertain
    refused = {f"refused{number}@example.org" for number in range(REFUSED)}
    assert addresses(site, "failed") <= refused <= addresses(site, "failed") | uncertain


def addresses(site: Site, state: str) -> set[str]:
    return {address for (address,) in site.query(ADDRESSES, state)}
