"""What became of the copies of a mailing, each with its contact: sent, bounced, refused …"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Q, QuerySet

from ..mailings.models import Delivery, DeliveryState, Mailing
from ..tracking import totals


def sent(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(mailing__in=mailings, state=DeliveryState.SENT)


def delivered(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return sent(mailings).exclude(_came_back())


def bounced(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return sent(mailings).filter(_came_back())


def bounced_for_good(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return sent(mailings).filter(totals.bounced_for_good())


def bounced_for_now(mailings: list[Mailing]) -> QuerySet[Delivery]:
    return sent(mailings).filter(totals.bounced_for_now())


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
    return totals.bounced_for_good() | totals.bounced_for_now()
