"""How fast a sender may go: token buckets in the database, shared by every worker on every host.

A bucket for *limit* mails in a span holds a tenth of them and refills at the rate that makes up
the rest. So no span of that length, wherever it begins, sees more than *limit*: a full bucket plus
what flows in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from ..site_settings.models import RateBucket, Sender

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400
BURST_SHARE = 10


@dataclass(frozen=True)
class Limit:
    """At most *number* in any *seconds*."""

    seconds: int
    number: int

    @property
    def capacity(self) -> float:
        return max(1.0, self.number / BURST_SHARE)

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return max(self.number - self.capacity, self.number / 2) / self.seconds


@dataclass(frozen=True)
class Allowance:
    """How many may go now, and after how many seconds to ask again when it is none."""

    number: int
    wait: float = 0.0


def limits_of(sender: Sender, *, today: datetime | None = None) -> list[Limit]:
    """Return the ceilings that hold for *sender* today, warm-up included."""
    stated = (
        (SECOND, sender.per_second),
        (MINUTE, sender.per_minute),
        (HOUR, sender.per_hour),
        (DAY, _per_day(sender, today or timezone.now())),
    )
    return [Limit(seconds, number) for seconds, number in stated if number]


@transaction.atomic
def take(sender: Sender, wanted: int) -> Allowance:
    """Take up to *wanted* mails out of every bucket of *sender*; what is granted is spent."""
    limits = limits_of(sender)
    if not limits:
        return Allowance(wanted)
    now = timezone.now()
    buckets = [(limit, _refilled(sender, limit, now)) for limit in limits]
    granted = min(wanted, *(int(bucket.tokens) for _limit, bucket in buckets))
    for _limit, bucket in buckets:
        bucket.tokens -= granted
        bucket.save()
    if granted:
        return Allowance(granted)
    return Allowance(0, max((1 - bucket.tokens) / limit.rate for limit, bucket in buckets))


def _refilled(sender: Sender, limit: Limit, now: datetime) -> RateBucket:
    """Return the locked bucket for *limit*, with what has flowed in since it was last used."""
    bucket, _created = RateBucket.objects.select_for_update().get_or_create(
        sender=sender,
        seconds=limit.seconds,
        defaults={"tokens": limit.capacity, "updated_at": now},
    )
    elapsed = max(timedelta(), now - bucket.updated_at).total_seconds()
    bucket.tokens = min(limit.capacity, bucket.tokens + elapsed * limit.rate)
    bucket.updated_at = now
    return bucket


def _per_day(sender: Sender, now: datetime) -> int | None:
    if sender.warm_up_from is None:
        return sender.per_day
    days = max(0, (timezone.localtime(now).date() - sender.warm_up_from).days)
    # Far beyond any real limit; keeps the power from growing without end.
    grown = sender.warm_up_first_day * float(sender.warm_up_growth) ** min(days, 60)
    return min(int(grown), sender.per_day) if sender.per_day else int(grown)
