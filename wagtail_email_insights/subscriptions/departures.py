"""The unsubscribe link in a newsletter: who leaves, and what there is to leave."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .. import tokens
from ..conf import app_settings
from ..consents.queries import agreed
from ..contacts.models import (
    Contact,
    RecipientList,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)
from ..mailings.models import Delivery, Mailing
from .errors import NothingStoredError


@dataclass(frozen=True)
class Departure:
    """One contact at the door, with the mailing whose link they used."""

    contact: Contact
    mailing: Mailing

    @cached_property
    def mailing_lists(self) -> list[RecipientList]:
        """The lists that the mailing went to."""
        return list(self.mailing.recipient_lists.all())

    @cached_property
    def lists(self) -> list[RecipientList]:
        """Those of the mailing's lists that the contact is still on."""
        standing = self.contact.subscriptions.exclude(status=SubscriptionStatus.UNSUBSCRIBED)
        kept = set(standing.values_list("recipient_list_id", flat=True))
        return [
            recipient_list for recipient_list in self.mailing_lists if recipient_list.pk in kept
        ]

    @property
    def is_only_everything(self) -> bool:
        """The mailing went to all lists, so leaving it can only mean leaving everything."""
        return self.mailing.to_all_lists

    @cached_property
    def has_agreed(self) -> bool:
        """The contact has agreed to tracking, which can be taken back here too.

        Whether or not "do not follow" is set: it may be unset one day.
        """
        agreement = agreed(app_settings.tracking_consent)
        return Contact.objects.filter(agreement, pk=self.contact.pk).exists()

    @cached_property
    def has_left_everything(self) -> bool:
        return (
            Suppression.objects.active()
            .filter(email=self.contact.email, reason=SuppressionReason.UNSUBSCRIBED_ALL)
            .exists()
        )


def find(token: str) -> Departure:
    """Return who leaves by *token*.

    Raises TokenError (before any query) for what is not ours, NothingStoredError when the contact
    or the whole mailing has been erased.
    """
    (delivery_id,) = tokens.read(token, tokens.Kind.UNSUBSCRIBE).values
    deliveries = Delivery.objects.select_related("contact", "mailing__site")
    delivery = deliveries.filter(pk=delivery_id).first()
    if delivery is None or delivery.contact is None:
        raise NothingStoredError
    return Departure(delivery.contact, delivery.mailing)


def masked(email: str) -> str:
    """Return *email* recognisable to its owner only: ``a•••@example.org``."""
    local, _at, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"
