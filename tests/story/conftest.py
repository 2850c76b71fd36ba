from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.processes import MailServer, Site, running_site


@pytest.fixture(scope="module")
def inbox() -> Iterator[MailServer]:
    """The mail server of the whole world: whatever is sent to anybody lies here."""
    with MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory, inbox) -> Iterator[Site]:
    """The running site: web server, cluster and mail server, and an editor who may do all."""
    with running_site(tmp_path_factory.mktemp("story"), inbox.port) as site:
        site.shell("from tests.story.stage import set_up; set_up()")
        site.start_web()
        site.start_cluster()
        yield site
