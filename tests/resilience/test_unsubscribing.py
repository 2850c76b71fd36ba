"""People leave while a mailing is on its way: whoever left before the claim gets nothing."""

from __future__ import annotations

import json

import pytest

from tests.processes import Oracle, Postgres, running_site
from tests.resilience.accounts import Account, is_sent

pytestmark = pytest.mark.slow

PEOPLE = 1500
LEAVING = 700


def test_on_sqlite(tmp_path):
    check_nobody_is_claimed_after_leaving(tmp_path)


@pytest.mark.postgres
def test_on_postgres(tmp_path, postgres):
    check_nobody_is_claimed_after_leaving(tmp_path, postgres)


def check_nobody_is_claimed_after_leaving(tmp_path, postgres: Postgres | None = None) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    with (
        Oracle(tmp_path / "accepted.txt", delay=0.002) as oracle,
        running_site(
            folder,
            oracle.port,
            settings="tests.resilience.settings",
            database_url=postgres.url if postgres else "",
        ) as site,
    ):
        site.shell(f"from tests.resilience.stage import start_mailing; start_mailing({PEOPLE})")
        said = site.shell(
            f"from tests.resilience.stage import send_while_people_leave as go; go({LEAVING})"
        )
        assert is_sent(site)
        account = Account.of(site, oracle)
        left, claimed = (json.loads(line) for line in said.splitlines()[-2:])

    assert len(left) == LEAVING
    assert not account.twice
    too_late = {address for address, at in left.items() if claimed[address] < at}
    in_time = set(left) - too_late
    # Otherwise nothing has been tried.
    assert len(in_time) > LEAVING / 10
    assert len(too_late) > LEAVING / 10
    assert not in_time & set(account.accepted)
    assert in_time <= account.in_state("skipped")
    stayed = {address for address in account.states if address.startswith("reader")} - set(left)
    assert stayed <= set(account.accepted)
