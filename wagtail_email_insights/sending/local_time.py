"""Hours as the reader's clock shows them: sending at a local hour, and quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from ..conf import app_settings
from ..mailings.models import DUE_STATES, Delivery, DeliveryState, Mailing

EARLIEST_ZONE = timedelta(hours=14)
"""Line Islands: where every day begins."""


def begins_at(mailing: Mailing) -> datetime:
    """Return when a scheduled mailing has to start working: with the earliest reader."""
    if mailing.scheduled_at is None:
        return timezone.now()
    if not mailing.in_recipient_time_zone:
        return mailing.scheduled_at
    wall = timezone.localtime(mailing.scheduled_at).replace(tzinfo=None)
    return wall.replace(tzinfo=UTC) - EARLIEST_ZONE


def hold_until_local_hour(mailing: Mailing) -> None:
    """Have each copy wait until the scheduled hour on its reader's clock; one UPDATE a zone."""
    if mailing.scheduled_at is None or not mailing.in_recipient_time_zone:
        return
    wall = timezone.localtime(mailing.scheduled_at).replace(tzinfo=None)
    due = mailing.deliveries.filter(state__in=DUE_STATES)
    for name in _zone_names(due):
        local = wall.replace(tzinfo=zone(name))
        due.filter(contact__time_zone=name).update(not_before=local.astimezone(UTC))


def hold_during_quiet_hours(claimed: QuerySet[Delivery], *, now: datetime) -> None:
    """Put back copies whose reader's clock shows a quiet hour, until that is over."""
    hours = app_settings.quiet_hours
    if not hours:
        return
    start, end = (time.fromisoformat(text) for text in hours)
    for name in _zone_names(claimed):
        over = _quiet_until(now.astimezone(zone(name)), start, end)
        if over:
            claimed.filter(contact__time_zone=name).update(
                state=DeliveryState.QUEUED, lease_owner=None, not_before=over.astimezone(UTC)
            )


def zone(name: str) -> ZoneInfo:
    """Return the time zone of that name; the site's own for an empty or unknown one."""
    try:
        return ZoneInfo(name or timezone.get_default_timezone_name())
    except (KeyError, ValueError, OSError):
        return ZoneInfo(timezone.get_default_timezone_name())


def _quiet_until(local: datetime, start: time, end: time) -> datetime | None:
    """Return when the quiet hours that *local* falls into are over; None outside them."""
    now = local.time()
    overnight = start > end
    quiet = now >= start or now < end if overnight else start <= now < end
    if not quiet:
        return None
    day = local.date() + timedelta(days=1 if overnight and now >= start else 0)
    return datetime.combine(day, end, tzinfo=local.tzinfo)


def _zone_names(deliveries: QuerySet[Delivery]) -> list[str]:
    names = deliveries.order_by().values_list("contact__time_zone", flat=True).distinct()
    return [name for name in names if name is not None]
