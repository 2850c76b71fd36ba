from __future__ import annotations

import pytest
from django.urls import clear_url_caches

from wagtail_email_insights.checks import check_database, check_queue, check_settings, check_urls
from wagtail_email_insights.queue import DEFAULT_Q_CLUSTER


def ids(settings, cluster: dict) -> list[str]:
    settings.Q_CLUSTER = cluster
    return [message.id.rpartition(".")[2] for message in check_queue(None)]


def test_the_settings_that_come_with_the_app_are_sound(settings):
    assert ids(settings, DEFAULT_Q_CLUSTER) == []


def test_no_settings_for_the_queue_are_named(settings):
    assert ids(settings, {}) == ["W001"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"timeout": 10}, "W003"),
        ({"retry": 60}, "W004"),
        ({"bulk": 10}, "W005"),
        ({"queue_limit": 50}, "W006"),
        ({"max_attempts": 0, "ack_failures": False}, "W007"),
    ],
)
def test_each_unsafe_setting_is_named(settings, changes, expected):
    assert ids(settings, {**DEFAULT_Q_CLUSTER, **changes}) == [expected]


def test_django_q_s_own_limit_is_too_high(settings):
    cluster = {name: value for name, value in DEFAULT_Q_CLUSTER.items() if name != "queue_limit"}
    assert ids(settings, {**cluster, "workers": 4}) == ["W006"]


@pytest.mark.parametrize("sound", [{"max_attempts": 1}, {"ack_failures": True}])
def test_one_way_of_letting_go_of_a_failed_task_is_enough(settings, sound):
    unsafe = {"max_attempts": 0, "ack_failures": False}
    assert ids(settings, {**DEFAULT_Q_CLUSTER, **unsafe, **sound}) == []


def test_addresses_in_their_place_are_fine():
    assert check_urls(None) == []


@pytest.mark.parametrize("urlconf", ["wagtail.urls", "tests.urls_below_wagtail"])
def test_addresses_that_are_missing_or_caught_by_others_are_named(settings, urlconf):
    settings.ROOT_URLCONF = urlconf
    clear_url_caches()
    assert [message.id for message in check_urls(None)] == ["wagtail_email_insights.E004"]


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ({}, []),
        ({"recorder": "redis", "retention_days": None}, []),
        ({"recorder": "wagtail_email_insights.tracking.recorders.FileRecorder"}, []),
        ({"recorder": "reddis"}, ["E006"]),
        ({"recorder": "shop.recorders.Recorder"}, ["E006"]),
        ({"burst_seconds": "1"}, ["E007"]),
        ({"sweep_copies": -1, "retention_days": True}, ["E007", "E007"]),
        ({"trap_seconds": float("nan")}, ["E007"]),
    ],
)
def test_what_recording_cannot_work_with_is_named(settings, ours, expected):
    settings.WAGTAIL_EMAIL_INSIGHTS = ours
    assert [message.id.rpartition(".")[2] for message in check_settings(None)] == expected


class FromReplica:
    def db_for_read(self, model, **hints):
        return "replica"


def test_reading_from_a_replica_is_named(settings):
    assert check_database(None) == []
    settings.DATABASE_ROUTERS = ["tests.test_checks.FromReplica"]
    assert [message.id for message in check_database(None)] == ["wagtail_email_insights.E008"]
