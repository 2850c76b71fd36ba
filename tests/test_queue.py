from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import Schedule

from wagtail_email_insights import queue
from wagtail_email_insights.digests import schedules as digest_schedules
from wagtail_email_insights.feedback import schedules as feedback_schedules
from wagtail_email_insights.sending import schedules as sending_schedules

pytestmark = pytest.mark.django_db
REAPER = "wagtail_email_insights: reap"
ALL = (sending_schedules, feedback_schedules, digest_schedules)


def ensure_all() -> None:
    for module in ALL:
        module.ensure_schedules(using="default", plan=[])


def test_migrate_leaves_one_schedule_for_each_task():
    Schedule.objects.all().delete()
    ensure_all()
    ensure_all()
    assert Schedule.objects.count() == len(ALL)


def test_duplicates_go_and_what_was_changed_is_put_right():
    Schedule.objects.all().delete()
    for _ in range(3):
        Schedule.objects.create(name=REAPER, func="gone.task", schedule_type=Schedule.DAILY)
    ensure_all()
    schedule = Schedule.objects.get(name=REAPER)
    assert schedule.func == sending_schedules.REAP_TASK
    assert (schedule.schedule_type, schedule.minutes) == (Schedule.MINUTES, 1)


@pytest.mark.parametrize("missing", ["django_q_schedule", "wagtail_email_insights_"])
def test_without_the_tables_nothing_is_done(monkeypatch, missing):
    Schedule.objects.all().delete()
    names = connection.introspection.table_names()
    there = [name for name in names if not name.startswith(missing)]
    monkeypatch.setattr(type(connection.introspection), "table_names", lambda *_args: there)
    ensure_all()
    monkeypatch.undo()
    assert not Schedule.objects.exists()


def test_without_the_queue_installed_nothing_is_done(monkeypatch):
    monkeypatch.setattr(queue.apps, "is_installed", lambda name: name != "django_q")
    Schedule.objects.all().delete()
    ensure_all()
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("late", "mine"),
    [(timedelta(minutes=2), True), (timedelta(seconds=30), False), (timedelta(minutes=-2), False)],
)
def test_what_no_cluster_did_in_time_is_done_by_who_asks_first(late, mine):
    schedule = due(late)
    assert queue.take_turn(schedule.func) is mine
    assert queue.take_turn(schedule.func) is False
    before = schedule.next_run
    schedule.refresh_from_db()
    assert (schedule.next_run > timezone.now()) is (mine or late < timedelta())
    assert (schedule.next_run == before) is not mine


def test_the_clock_goes_on_at_its_own_hours():
    schedule = due(timedelta(minutes=7, seconds=30))
    Schedule.objects.filter(pk=schedule.pk).update(minutes=5)
    assert queue.take_turn(schedule.func)
    before = schedule.next_run
    schedule.refresh_from_db()
    assert schedule.next_run == before + timedelta(minutes=10)


@pytest.mark.parametrize("changes", [{"repeats": 0}, {"schedule_type": Schedule.DAILY}])
def test_what_somebody_switched_off_or_changed_is_left_to_the_cluster(changes):
    schedule = due(timedelta(days=2))
    Schedule.objects.filter(pk=schedule.pk).update(**changes)
    assert not queue.take_turn(schedule.func)


def test_a_schedule_of_the_sites_own_is_not_ours():
    schedule = due(timedelta(minutes=-2))
    own = Schedule.objects.create(
        name="by hand",
        func=schedule.func,
        schedule_type=Schedule.DAILY,
        next_run=timezone.now() - timedelta(days=1),
    )
    before = own.next_run
    assert not queue.take_turn(schedule.func)
    own.refresh_from_db()
    assert own.next_run == before


def test_what_failed_is_somebodys_turn_again_soon():
    schedule = due(timedelta(minutes=2))
    assert queue.take_turn(schedule.func)
    queue.give_turn_back(schedule.func)
    assert not queue.take_turn(schedule.func), "not before its minute of grace"
    schedule.refresh_from_db()
    assert schedule.next_run <= timezone.now()


def test_of_two_who_ask_at_once_one_is_told_to(monkeypatch):
    schedule = due(timedelta(minutes=2))
    others: list[bool] = []

    def now() -> datetime:
        if not others:
            others.append(False)
            others[0] = queue.take_turn(schedule.func)
        return timezone.now()

    monkeypatch.setattr(queue, "timezone", SimpleNamespace(now=now))
    assert queue.take_turn(schedule.func) is False
    assert others == [True]


def test_what_nobody_schedules_may_always_be_called(monkeypatch):
    assert queue.take_turn("no.such.task")
    schedule = due(timedelta(minutes=-2))
    with monkeypatch.context() as patch:
        patch.setattr(queue, "_has_table", lambda model: False)
        assert queue.take_turn(schedule.func)
    monkeypatch.setattr(queue.apps, "is_installed", lambda name: name != "django_q")
    assert queue.take_turn(schedule.func)


def due(late: timedelta) -> Schedule:
    Schedule.objects.update(next_run=timezone.now() - late)
    return Schedule.objects.get(name=REAPER)


def test_our_tables_can_be_made_alone_and_taken_away(tmp_path):
    """On a fresh database of its own, in a process of its own."""
    code = (
        "import django, sys; from tests import settings as s;"
        "s.DATABASES['default']['NAME'] = sys.argv[1]; django.setup();"
        "from django.core.management import call_command as call;"
        "call('migrate', 'wagtail_email_insights', verbosity=0);"
        "call('migrate', verbosity=0);"
        "from django_q.models import Schedule; assert Schedule.objects.count() == 6;"
        "call('migrate', 'wagtail_email_insights', 'zero', verbosity=0)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "fresh.sqlite3")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
