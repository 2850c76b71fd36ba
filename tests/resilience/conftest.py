from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.processes import NotInstalled, Postgres, Redis


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of the test's own, that it may shut down."""
    # Not in tmp_path: the server runs as somebody else, who cannot enter there.
    with TemporaryDirectory(prefix="tests-postgres-") as folder:
        try:
            server = Postgres(Path(folder)).__enter__()
        except NotInstalled as error:
            pytest.skip(str(error))
        yield server
        server.__exit__()


@pytest.fixture
def redis() -> Iterator[Redis]:
    try:
        server = Redis().__enter__()
    except NotInstalled as error:
        pytest.skip(str(error))
    yield server
    server.__exit__()
