"""The worker that waits for a task holds the lock of the queue; killed, it takes that with it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.processes import Oracle, Process, Site, running_site, wait_until
from tests.resilience.accounts import Account, is_sent

pytestmark = pytest.mark.slow

PEOPLE = 300
READY = r"ready for work at (\d+)"
WORKERS = 2
TRIES = 8
PROBE = "math.sqrt"
"""A task of no consequence: whoever reads the queue answers it within a second."""


def test_a_mailing_is_sent_although_no_task_is_ever_read_again(tmp_path, tmp_path_factory):
    with (
        Oracle(tmp_path / "accepted.txt") as oracle,
        running_site(tmp_path_factory.mktemp("stuck"), oracle.port) as site,
    ):
        cluster = site.start_cluster()
        stick(site, cluster)
        site.shell(f"from tests.resilience.stage import start_mailing; start_mailing({PEOPLE})")
        wait_until(lambda: is_sent(site), seconds=90, what=f"the end of the mailing {site.diary}")
        Account.of(site, oracle).check(people=PEOPLE, uncertain_at_most=0)
        assert "had no worker: taken up without the queue" in cluster.said
        assert "tasks.work'" not in cluster.said, "the queue was not stuck: nothing was tried"


def stick(site: Site, cluster: Process) -> None:
    """Kill idle workers until nobody reads the queue: whether one held its lock is chance."""
    assert answers(site, cluster), "whether the queue is read cannot be told"
    for _try in range(TRIES):
        kill_idle_workers(cluster)
        if not answers(site, cluster):
            return
    raise AssertionError(f"The queue still answers after {TRIES} tries")


def kill_idle_workers(cluster: Process) -> None:
    """Kill all of them, so that the one with the lock is among them; others take their places."""
    ready = wait_until(
        lambda: pids if len(pids := cluster.announced(READY)) >= WORKERS else [],
        seconds=30,
        what="the workers",
    )
    for pid in ready[-WORKERS:]:
        cluster.kill_child(pid)
    wait_until(
        lambda: len(cluster.announced(READY)) >= len(ready) + WORKERS,
        seconds=30,
        what="their successors",
    )


def answers(site: Site, cluster: Process) -> bool:
    before = cluster.said.count(f"Processed '{PROBE}'")
    site.shell(f"from django_q.tasks import async_task; async_task('{PROBE}', 4)")
    with suppress(AssertionError):
        return wait_until(
            lambda: cluster.said.count(f"Processed '{PROBE}'") > before, seconds=10, what="it"
        )
    return False
