"""The kill matrix at a size that a test run can bear; ``make resilience`` runs the large one."""

from __future__ import annotations

import random

import pytest

from tests.processes import NotInstalled
from tests.resilience.matrix import run

PEOPLE = 700
KILLS = 4
SMALL = {"batch_size": 20, "chunk_size": 5, "lease_seconds": 12, "work_seconds": 2}
"""As few people as these would otherwise all wait for one lease, or be done in one turn."""


@pytest.mark.slow
def test_sqlite_and_the_orm_broker():
    fight(postgres=False, redis=False)


@pytest.mark.slow
@pytest.mark.postgres
def test_postgres_and_redis():
    try:
        fight(postgres=True, redis=True)
    except NotInstalled as error:
        pytest.skip(str(error))


def fight(*, postgres: bool, redis: bool) -> None:
    seed = random.randrange(10_000)
    print(f"Seed {seed}")
    report = run(
        people=PEOPLE,
        kills=KILLS,
        seed=seed,
        postgres=postgres,
        redis=redis,
        stop_seconds=3,
        settings=SMALL,
    )
    print(report)
    report.check()
