from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import override_settings

from wagtail_email_insights.subscriptions import limits

DUMMY = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}


@pytest.mark.parametrize(
    ("remote", "forwarded", "network"),
    [
        ("8.8.8.8", "", "8.8.8.8"),
        ("8.8.8.8", "9.9.9.9", "8.8.8.8"),
        ("127.0.0.1", "1.1.1.1, 9.9.9.9", "9.9.9.9"),
        ("10.0.0.7", "nonsense", "10.0.0.7"),
        ("", "9.9.9.9", "9.9.9.9"),
        ("", "", ""),
        ("2606:4700:1:2:3:4:5:6", "", "2606:4700:1:2::/64"),
    ],
)
def test_network_is_what_the_visitor_cannot_make_up(remote, forwarded, network):
    assert limits.network_of(remote, forwarded) == network


def test_spellings_of_one_address_share_a_limit():
    assert all(limits.may_mail("ann@example.org") for _ in range(3))
    assert not limits.may_mail(" Ann@Example.ORG ")
    assert limits.may_mail("bob@example.org")


def test_mail_given_back_can_be_sent_again():
    for _ in range(3):
        limits.may_mail("ann@example.org")
    limits.give_mail_back("ann@example.org")
    assert limits.may_mail("ann@example.org")


@override_settings(CACHES=DUMMY)
def test_without_a_cache_nothing_is_limited():
    assert all(limits.may_mail("ann@example.org") for _ in range(9))
    limits.give_mail_back("ann@example.org")


def test_cache_holds_no_address():
    limits.may_mail("ann@example.org")
    assert not any("ann" in key for key in cache._cache)


def test_next_day_counts_afresh(monkeypatch):
    for _ in range(3):
        limits.may_mail("ann@example.org")
    now = limits.time.time()
    monkeypatch.setattr(limits.time, "time", lambda: now + limits.DAY)
    assert limits.may_mail("ann@example.org")
