"""Old events go, figures stay."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from ..conf import app_settings
from ..mailings.models import Mailing
from . import tallies, totals
from .models import Event, EventKind, MailingTotals, Probe
from .turns import turn

BATCH = 5000


def forget_old(*, now: datetime | None = None) -> int:
    """Delete events older than the setting ``retention_days``; returns how many, 0 without it.

    A mailing's events go together, once it ended that long ago: from then on its figures can no
    longer be rebuilt, and whatever still happens to it counts in totals only, because nobody can
    tell any more whether a copy was counted before. Events that belong to no mailing go one by
    one. Raises ``django.db.Error``; what was deleted by then stays deleted.
    """
    days = app_settings.retention_days
    if days is None:
        return 0
    before = (now or timezone.now()) - timedelta(days=days)
    deleted = _delete(Event.objects.filter(mailing__isnull=True, at__lt=before))
    return deleted + sum(_forget(mailing_id, before) for mailing_id in _old_mailings(before))


def removed_at(mailing_ids: Collection[int]) -> datetime | None:
    """Return when events of these mailings were deleted, the last time; None if all are there.

    From then on sums are all there is: who did something, or did not, can no longer be told.
    """
    rows = MailingTotals.objects.filter(pk__in=mailing_ids)
    return rows.aggregate(at=Max("events_removed_at"))["at"]


def _old_mailings(before: datetime) -> list[int]:
    old = Mailing.objects.filter(finished_at__lt=before).order_by("pk")
    return list(old.values_list("pk", flat=True))


def _forget(mailing_id: int, before: datetime) -> int:
    with turn(), transaction.atomic():
        held = tallies.lock(mailing_id)
        if held is None:
            return 0
        if held.events_removed_at is None:
            # What came back is counted from events: for the last time now.
            totals.totals_of([mailing_id])
            MailingTotals.objects.filter(pk=mailing_id).update(events_removed_at=timezone.now())
    with turn():
        Probe.objects.filter(mailing=mailing_id).delete()
    return _delete(Event.objects.filter(mailing=mailing_id, at__lt=before))


def _delete(events: QuerySet[Event]) -> int:
    """Delete in batches, so that nobody waits long for the tables. What people wrote stays."""
    deleted = 0
    events = events.exclude(kind=EventKind.REPLY).order_by("pk")
    while ids := list(events.values_list("pk", flat=True)[:BATCH]):
        with turn():
            _total, per_model = Event.objects.filter(pk__in=ids).delete()
        deleted += per_model.get(Event._meta.label, 0)
    return deleted
