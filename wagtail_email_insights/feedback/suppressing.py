"""Suppressions that come from feedback: a stronger reason replaces a weaker one, never reverse."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from ..contacts.models import Suppression, SuppressionReason

STRENGTH = (
    SuppressionReason.SOFT_BOUNCES,
    SuppressionReason.HARD_BOUNCE,
    SuppressionReason.UNSUBSCRIBED_ALL,
    SuppressionReason.MANUAL,
    SuppressionReason.COMPLAINT,
)
"""Weakest first. Confirming a subscription lifts an unsubscription, but never a complaint."""

BOUNCES = (SuppressionReason.HARD_BOUNCE, SuppressionReason.SOFT_BOUNCES)


def suppress(
    email: str,
    reason: SuppressionReason,
    *,
    note: str = "",
    expires_at: datetime | None = None,
) -> bool:
    """Have *email* get nothing until *expires_at*; returns False where that changes nothing."""
    values = {"reason": reason, "note": note[:250], "expires_at": expires_at}
    _suppression, created = Suppression.objects.get_or_create(email=email, defaults=values)
    if created:
        return True
    weaker = Q(reason__in=STRENGTH[: STRENGTH.index(reason)])
    over = Q(expires_at__lte=timezone.now())
    changed = Suppression.objects.filter(weaker | over, email=email)
    return bool(changed.update(created_at=timezone.now(), **values))


def lift_bounces(email: str) -> int:
    """Lift what bounces have suppressed; complaints and blocks by hand stay."""
    deleted, _per_model = Suppression.objects.filter(email=email, reason__in=BOUNCES).delete()
    return deleted
