"""What can be done to people's standing: subscribe, confirm, unsubscribe, suppress."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from .. import signals
from .models import (
    Contact,
    RecipientList,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)


@transaction.atomic
def request_subscription(
    email: str,
    recipient_list: RecipientList,
    *,
    source: str = "",
    first_name: str = "",
    last_name: str = "",
    language: str = "",
) -> Subscription:
    """Note that somebody asked to be on *recipient_list*; nothing is mailed to them by this.

    An existing contact keeps their name and a running subscription: whoever typed the address has
    not proved that it is theirs.
    """
    contact, _created = Contact.objects.get_or_create(
        email=email,
        defaults={"first_name": first_name, "last_name": last_name, "language": language},
    )
    subscription, created = Subscription.objects.get_or_create(
        contact=contact, recipient_list=recipient_list, defaults={"source": source}
    )
    if not created and subscription.status == SubscriptionStatus.UNSUBSCRIBED:
        _set_status(subscription, SubscriptionStatus.PENDING, source=source)
    if subscription.status == SubscriptionStatus.PENDING:
        signals.subscription_requested.send(Subscription, subscription=subscription)
    return subscription


@transaction.atomic
def confirm(subscription: Subscription) -> bool:
    """Make *subscription* count; returns False when it did already.

    Confirming is done by the owner of the address, so it also lifts an earlier "unsubscribe from
    everything". Bounces, complaints and blocks by hand stay.
    """
    subscription = Subscription.objects.select_for_update().get(pk=subscription.pk)
    _lift_unsubscribe_from_all(subscription.contact)
    if subscription.status == SubscriptionStatus.SUBSCRIBED:
        return False
    _set_status(subscription, SubscriptionStatus.SUBSCRIBED, confirmed_at=timezone.now())
    signals.subscription_confirmed.send(Subscription, subscription=subscription)
    return True


@transaction.atomic
def unsubscribe(
    contact: Contact, recipient_lists: Iterable[RecipientList], *, mailing: Any = None
) -> list[RecipientList]:
    """Take *contact* off the given lists; returns those they were really on.

    *mailing* is the mailing whose link was used; it is only passed on to listeners.
    """
    left = list(
        contact.subscriptions.exclude(status=SubscriptionStatus.UNSUBSCRIBED)
        .filter(recipient_list__in=list(recipient_lists))
        .select_related("recipient_list")
    )
    for subscription in left:
        _set_status(subscription, SubscriptionStatus.UNSUBSCRIBED)
    lists = [subscription.recipient_list for subscription in left]
    if lists:
        _tell_unsubscribed(contact, lists, everything=False, mailing=mailing)
    return lists


@transaction.atomic
def unsubscribe_from_all(contact: Contact, *, mailing: Any = None) -> list[RecipientList]:
    """Take *contact* off every list and suppress the address for whatever comes later."""
    left = list(
        contact.subscriptions.exclude(status=SubscriptionStatus.UNSUBSCRIBED).select_related(
            "recipient_list"
        )
    )
    for subscription in left:
        _set_status(subscription, SubscriptionStatus.UNSUBSCRIBED)
    newly = suppress(contact.email, SuppressionReason.UNSUBSCRIBED_ALL)
    lists = [subscription.recipient_list for subscription in left]
    if lists or newly:
        _tell_unsubscribed(contact, lists, everything=True, mailing=mailing)
    return lists


def suppress(email: str, reason: SuppressionReason, *, note: str = "") -> bool:
    """Have *email* get nothing from now on; returns False when that was so already."""
    _suppression, created = Suppression.objects.get_or_create(
        email=email, defaults={"reason": reason, "note": note}
    )
    return created


def _lift_unsubscribe_from_all(contact: Contact) -> None:
    Suppression.objects.filter(
        email=contact.email, reason=SuppressionReason.UNSUBSCRIBED_ALL
    ).delete()


def _set_status(subscription: Subscription, status: SubscriptionStatus, **changes: Any) -> None:
    subscription.status = status
    subscription.changed_at = timezone.now()
    for name, value in changes.items():
        setattr(subscription, name, value)
    subscription.save(update_fields=["status", "changed_at", *changes])


def _tell_unsubscribed(
    contact: Contact, lists: list[RecipientList], *, everything: bool, mailing: Any
) -> None:
    signals.contact_unsubscribed.send(
        Contact, contact=contact, recipient_lists=lists, everything=everything, mailing=mailing
    )
