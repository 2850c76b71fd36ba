from __future__ import annotations

import os

import pytest
from django.core.cache import cache

from wagtail_email_insights.tracking import recording, spool

pytest_plugins = ["tests.chromium"]

SERVICES = {"browser", "postgres"}


@pytest.fixture(autouse=True)
def _fresh_caches():
    """Rate limits and cached links of one test are none of the next one's business."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _own_spool(tmp_path, monkeypatch):
    """No test reads or writes the spool of this machine."""
    monkeypatch.setattr(spool, "_default_name", lambda: str(tmp_path / "spool"))


@pytest.fixture(autouse=True)
def _own_media(tmp_path, settings):
    """What a test uploads goes away with it."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _quiet_before(monkeypatch):
    """What readers do in one test does not make the next one believe that there is no time."""
    monkeypatch.setattr(recording, "_quiet", recording._Quiet())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where the services must be there, a test that misses one has failed, not been skipped."""
    report = yield
    needs_service = SERVICES & {marker.name for marker in item.iter_markers()}
    if report.skipped and needs_service and os.environ.get("WEI_REQUIRE_SERVICES"):
        report.outcome = "failed"
        report.longrepr = f"skipped although WEI_REQUIRE_SERVICES is set: {report.longrepr}"
    return report
