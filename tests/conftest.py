from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _fresh_caches():
    """Rate limits and cached links of one test are none of the next one's business."""
    cache.clear()
    yield
    cache.clear()
