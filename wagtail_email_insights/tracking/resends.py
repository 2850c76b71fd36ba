"""Who gets a resend: those of whom we know that the mail arrived and that they did not click."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from ..mailings.audience import register_narrowing
from ..mailings.models import Delivery, DeliveryState, Mailing
from . import retention
from .models import Event, EventKind, Verdict


@register_narrowing
def only_those_who_did_not_click(mailing: Mailing) -> Q:
    """Narrow a resend to identified copies without a click by a person.

    "Not tracked" is not "did not click": copies that lead to nobody are left out, and so is
    everybody once retention has deleted who clicked.
    """
    if mailing.resend_of_id is None:
        return Q()
    if retention.removed_at([mailing.resend_of_id]):
        return Q(pk__in=[])
    had_it = Delivery.objects.filter(
        mailing=mailing.resend_of_id,
        contact=OuterRef("pk"),
        state=DeliveryState.SENT,
        identified=True,
    )
    clicks = Event.objects.filter(
        mailing=mailing.resend_of_id, contact=OuterRef("pk"), kind=EventKind.CLICK
    ).exclude(verdict=Verdict.MACHINE)
    return Q(Exists(had_it)) & ~Q(Exists(clicks))
