"""Whom a report is about: the copy our token leads to, else the newest one to the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from ..contacts.models import Contact
from ..mailings.models import Delivery, DeliveryState, Mailing
from .references import delivery_id

LEFT = (DeliveryState.SENT, DeliveryState.UNCERTAIN)
"""States of a copy that the recipient's server can have seen."""


@dataclass(frozen=True)
class Subject:
    """A contact, the copy that is talked about, or both; a contact may have been erased since.

    Without *certain* the copy is a guess: the newest one to the address.
    """

    contact: Contact | None
    delivery: Delivery | None = None
    certain: bool = True

    @property
    def mailing(self) -> Mailing | None:
        return self.delivery.mailing if self.delivery else None


def find_subject(token: str, address: str, *, since: datetime | None = None) -> Subject | None:
    """Return whom a report is about, None for nobody of ours.

    With *since*, an address counts only if a copy left for it after that time.
    """
    return _by_token(token) or _by_address(address, since)


def _by_token(token: str) -> Subject | None:
    pk = delivery_id(token) if token else None
    if pk is None:
        return None
    delivery = _deliveries().filter(pk=pk).first()
    return Subject(delivery.contact, delivery) if delivery else None


def _by_address(address: str, since: datetime | None) -> Subject | None:
    contact = Contact.objects.filter(email=address).first() if address else None
    if contact is None:
        return None
    left = _deliveries().filter(contact=contact, state__in=LEFT)
    if since:
        left = left.filter(settled_at__gte=since)
    delivery = left.order_by("-settled_at").first()
    return None if since and not delivery else Subject(contact, delivery, certain=False)


def _deliveries() -> QuerySet[Delivery]:
    return Delivery.objects.select_related("contact", "mailing")
