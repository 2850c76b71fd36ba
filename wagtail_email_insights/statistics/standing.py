"""What became of the copies of a mailing, each with its contact: sent, bounced, refused …"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q, QuerySet

from ..mailings.models import Delivery, DeliveryState, Mailing
from ..tracking.models import Event, EventKind
from ..tracking.totals import BOUNCES


def sent(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(mailing__in=mailings, state=DeliveryState.SENT)


def delivered(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return sent(mailings).exclude(_came_back())


def bounced(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return sent(mailings).filter(_came_back())


def bounced_for_good(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return sent(mailings).filter(_has(EventKind.HARD_BOUNCE))


def bounced_for_now(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return bounced(mailings).exclude(_has(EventKind.HARD_BOUNCE))


def failed(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(mailing__in=mailings, state=DeliveryState.FAILED)


def uncertain(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(mailing__in=mailings, state=DeliveryState.UNCERTAIN)


STANDING: dict[str, Callable[[list[Mailing]], QuerySet[Delivery]]] = {
    "sent": sent,
    "delivered": delivered,
    "bounced": bounced,
    "hard_bounced": bounced_for_good,
    "soft_bounced": bounced_for_now,
    "failed": failed,
    "uncertain": uncertain,
}
"""What became of the copy itself, which always has its contact."""


def _came_back() -> Q:
    """Bounced for good, or for now and never arrived after all."""
    return _has(EventKind.HARD_BOUNCE) | (_has(*BOUNCES) & ~_has(EventKind.DELIVERED))


def _has(*kinds: EventKind) -> Q:
    events = Event.objects.filter(mailing=OuterRef("mailing"), copy=OuterRef("pk"))
    return Q(Exists(events.filter(kind__in=kinds)))
