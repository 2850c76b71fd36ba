from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client


def log_in(client: Client, *codenames: str) -> Client:
    """Log in a fresh editor who holds exactly these permissions and may enter the admin."""
    user = get_user_model().objects.create_user(f"editor-{'-'.join(codenames)}")
    user.user_permissions.set(Permission.objects.filter(codename__in=["access_admin", *codenames]))
    client.force_login(user)
    return client


@pytest.fixture
def editor(client: Client) -> Callable[..., Client]:
    """``editor("view_contact")`` is a client logged in with exactly these permissions."""
    return lambda *codenames: log_in(client, *codenames)


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("admin"))
    return client


@pytest.fixture
def queries_of(admin: Client) -> Callable[[str], int]:
    """``queries_of(url)`` is the number of queries of a page, caches warm."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(url: str) -> int:
        admin.get(url)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert admin.get(url).status_code == 200
        return len(captured)

    return count
