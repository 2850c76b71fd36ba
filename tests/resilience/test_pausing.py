"""Somebody cannot make up their mind: pausing and resuming over and over during one send."""

from __future__ import annotations

import pytest

from tests.processes import Oracle, running_site, wait_until
from tests.resilience.accounts import Account, is_sent

pytestmark = pytest.mark.slow

PEOPLE = 1500
TIMES = 50


def test_paused_and_resumed_fifty_times(tmp_path, tmp_path_factory):
    with (
        Oracle(tmp_path / "accepted.txt", delay=0.005) as oracle,
        running_site(tmp_path_factory.mktemp("pausing"), oracle.port) as site,
    ):
        site.shell(f"from tests.resilience.stage import start_mailing; start_mailing({PEOPLE})")
        site.start_cluster()
        wait_until(lambda: len(oracle.mails) > 20, seconds=60, what="the first mails")
        site.shell(
            f"from tests.resilience.stage import pause_and_resume; pause_and_resume({TIMES})"
        )
        in_between = len(oracle.mails)
        wait_until(lambda: is_sent(site), seconds=120, what=f"the end of the mailing {site.diary}")
        account = Account.of(site, oracle)
        account.check(people=PEOPLE, uncertain_at_most=0)
        assert 20 < in_between < PEOPLE, "the pauses were not in the middle of the send"
