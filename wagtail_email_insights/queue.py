"""The one place that talks to django-q2, used as an alarm clock and never as the truth.

A task only says "look at your tables"; what is due is found there. A lost, repeated or late task
therefore costs time and nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.apps import apps
from django.db import connections, router, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

logger = logging.getLogger(__name__)

OUR_APP = "wagtail_email_insights"

GRACE = timedelta(minutes=1)
"""How late a scheduled call must be before somebody else than the cluster makes it."""

_busy = threading.Event()

DEFAULT_Q_CLUSTER: dict[str, Any] = {
    "name": "wagtail_email_insights",
    "orm": "default",
    "workers": 2,
    # Every task ends within `work_seconds`; the time-out only catches one that hangs.
    "timeout": 90,
    # The broker hands a task out again after this long: well over the time-out, or it runs twice.
    "retry": 300,
    "bulk": 1,
    # A crash loses at most what is prefetched.
    "queue_limit": 2,
    "poll": 0.5,
    "catch_up": False,
    "save_limit": 100,
    "max_attempts": 1,
    "ack_failures": True,
    "label": "Email queue",
}
"""Sound django-q2 settings for a site without others: ``Q_CLUSTER = DEFAULT_Q_CLUSTER``."""


def enqueue(function: str, *args: Any) -> None:
    """Ask the cluster to call the dotted *function* once this transaction is committed.

    A broker that is away is logged, not raised: the reaper finds the work within a minute.
    """
    transaction.on_commit(partial(_enqueue_now, function, args))


def _enqueue_now(function: str, args: tuple[Any, ...]) -> None:
    from django_q.tasks import async_task

    try:
        async_task(function, *args)
    except Exception:
        logger.exception("Could not enqueue %s%r; the reaper will pick the work up", function, args)


def ensure_schedule(function: str, *, minutes: int) -> None:
    """Have the dotted *function* called every so many minutes; safe to call again and again.

    Does nothing as long as the tables of the queue, or our own, are not there: ``migrate`` can be
    told to make one app's tables alone, or to take ours away.
    """
    if not apps.is_installed("django_q"):
        return
    from django_q.models import Schedule

    ours = next(apps.get_app_config(OUR_APP).get_models())
    if _has_table(Schedule) and _has_table(ours):
        _set_schedule(
            name=_name_of(function),
            func=function,
            schedule_type=Schedule.MINUTES,
            minutes=minutes,
            repeats=-1,
        )


def _has_table(model: type[Model]) -> bool:
    connection = connections[router.db_for_write(model)]
    return model._meta.db_table in connection.introspection.table_names()


def _set_schedule(*, name: str, **fields: Any) -> None:
    """Create or correct the schedule; of several of its name, which nothing forbids, one stays."""
    from django_q.models import Schedule

    same_name = Schedule.objects.filter(name=name)
    oldest = same_name.order_by("pk").first()
    if oldest is None:
        Schedule.objects.create(name=name, **fields)
    else:
        same_name.exclude(pk=oldest.pk).delete()
        same_name.update(**fields)


def take_turn(function: str) -> bool:
    """Tell whether to call the dotted *function* now, because no cluster did when it was time.

    Of several who ask, one is told to, and none again until it is time again. A function that
    nothing schedules may always be called; one whose schedule somebody has changed or switched
    off is left to the cluster.
    """
    if not _has_queue():
        return True
    schedule = _schedules_of(function).order_by("pk").first()
    if schedule is None:
        return True
    now = timezone.now()
    ours = _schedules_of(function).filter(pk=schedule.pk, schedule_type=schedule.MINUTES)
    overdue = ours.exclude(repeats=0).filter(next_run=schedule.next_run, next_run__lte=now - GRACE)
    return bool(overdue.update(next_run=_next_run(schedule, now)))


def give_turn_back(function: str) -> None:
    """Have the dotted *function*, of whom ``take_turn`` was true, called again soon: it failed."""
    if _has_queue():
        _schedules_of(function).update(next_run=timezone.now())


def _has_queue() -> bool:
    if not apps.is_installed("django_q"):
        return False
    from django_q.models import Schedule

    return _has_table(Schedule)


def _schedules_of(function: str) -> QuerySet[Any]:
    from django_q.models import Schedule

    return Schedule.objects.filter(name=_name_of(function), func=function)


def _next_run(schedule: Any, now: datetime) -> datetime:
    """Return the first time after *now* that lies a whole number of intervals later."""
    interval = timedelta(minutes=schedule.minutes or 1)
    return schedule.next_run + ((now - schedule.next_run) // interval + 1) * interval


def _name_of(function: str) -> str:
    return f"{OUR_APP}: {function.rpartition('.')[2]}"


def call_in_workers(function: Callable[[], None]) -> None:
    """Have *function* called in each worker process of a cluster when it starts."""
    from django_q import signals

    def started(**_kwargs: Any) -> None:
        function()

    signals.post_spawn.connect(started, weak=False, dispatch_uid=function)
    signals.pre_execute.connect(_task_begins, dispatch_uid=_task_begins)
    signals.post_execute_in_worker.connect(_task_ends, dispatch_uid=_task_ends)


def is_idle() -> bool:
    """Tell whether this worker process waits for a task; it does not when it is about to end."""
    return threading.main_thread().is_alive() and not _busy.is_set()


def _task_begins(**_kwargs: Any) -> None:
    _busy.set()


def _task_ends(**_kwargs: Any) -> None:
    _busy.clear()
