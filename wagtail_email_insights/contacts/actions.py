"""What can be done to people's standing: subscribe, confirm, unsubscribe, suppress."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connections, router, transaction
from django.db.models import QuerySet
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

STRENGTH = (
    SuppressionReason.SOFT_BOUNCES,
    SuppressionReason.HARD_BOUNCE,
    SuppressionReason.UNSUBSCRIBED_ALL,
    SuppressionReason.MANUAL,
    SuppressionReason.COMPLAINT,
)
"""Weakest first. Confirming a subscription lifts an unsubscription, but never a complaint."""


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

    An existing contact keeps their name and their standing, whichever it is: whoever typed the
    address has not proved that it is theirs. ``confirm`` takes it from any standing.
    """
    contact, _created = Contact.objects.get_or_create(
        email=email,
        defaults={"first_name": first_name, "last_name": last_name, "language": language},
    )
    subscription, _created = Subscription.objects.get_or_create(
        contact=contact, recipient_list=recipient_list, defaults={"source": source}
    )
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
    contact: Contact,
    recipient_lists: Iterable[RecipientList],
    *,
    mailing: Any = None,
    why: str = "",
) -> list[RecipientList]:
    """Take *contact* off the given lists; returns those they were really on.

    *mailing* is the mailing whose link was used, *why* the reason that was given, in one word;
    both are only passed on to listeners.
    """
    lock_contacts(contact.pk)
    lists = _leave(contact.subscriptions.filter(recipient_list__in=list(recipient_lists)))
    if lists:
        _tell_unsubscribed(contact, lists, everything=False, mailing=mailing, why=why)
    return lists


@transaction.atomic
def unsubscribe_from_all(
    contact: Contact, *, mailing: Any = None, why: str = ""
) -> list[RecipientList]:
    """Take *contact* off every list and suppress the address for whatever comes later."""
    lock_contacts(contact.pk)
    lists = _leave(contact.subscriptions.all())
    newly = suppress(contact.email, SuppressionReason.UNSUBSCRIBED_ALL)
    if lists or newly:
        _tell_unsubscribed(contact, lists, everything=True, mailing=mailing, why=why)
    return lists


@transaction.atomic
def suppress(
    email: str,
    reason: SuppressionReason,
    *,
    note: str = "",
    expires_at: datetime | None = None,
) -> bool:
    """Have *email* get nothing until *expires_at*; returns False where that changes nothing.

    Of two reasons the stronger stays, of two ends the later; a suppression that is over counts for
    nothing.
    """
    values = {"reason": reason, "note": note[:250], "expires_at": expires_at}
    rows = Suppression.objects.select_for_update()
    suppression, created = rows.get_or_create(email=email, defaults=values)
    return created or _strengthen(suppression, values)


def lock_contacts(*contact_ids: int) -> None:
    """Hold the contacts' rows until the transaction ends, where the database can lock a row.

    For what must not happen at the same time as a withdrawal of consent. Rows that only point at
    the contact can be written meanwhile.
    """
    features = connections[router.db_for_write(Contact)].features
    if features.has_select_for_update:
        rows = Contact.objects.select_for_update(no_key=features.has_select_for_no_key_update)
        # In one order everywhere, so that two who want the same ones do not wait for each other.
        list(rows.filter(pk__in=contact_ids).order_by("pk").values_list("pk"))


def _leave(subscriptions: QuerySet[Subscription]) -> list[RecipientList]:
    """End those that are not ended yet; a second press waits here and finds nothing to do."""
    left = (
        subscriptions.exclude(status=SubscriptionStatus.UNSUBSCRIBED)
        .select_for_update()
        # Not select_related: its join would lock the lists too.
        .prefetch_related("recipient_list")
        .order_by("pk")
    )
    for subscription in left:
        _set_status(subscription, SubscriptionStatus.UNSUBSCRIBED)
    return [subscription.recipient_list for subscription in left]


def _strengthen(suppression: Suppression, values: dict[str, Any]) -> bool:
    if not _is_over(suppression):
        values = _stronger(suppression, values)
    if all(getattr(suppression, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(suppression, name, value)
    suppression.created_at = timezone.now()
    suppression.save(update_fields=[*values, "created_at"])
    return True


def _stronger(suppression: Suppression, values: dict[str, Any]) -> dict[str, Any]:
    """Return what is to stand in a running *suppression* when *values* come on top."""
    ends = (suppression.expires_at, values["expires_at"])
    until = None if None in ends else max(ends)
    if STRENGTH.index(values["reason"]) > STRENGTH.index(SuppressionReason(suppression.reason)):
        return {**values, "expires_at": until}
    return {"expires_at": until}


def _is_over(suppression: Suppression) -> bool:
    end = suppression.expires_at
    return end is not None and end <= timezone.now()


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
    contact: Contact, lists: list[RecipientList], *, everything: bool, mailing: Any, why: str
) -> None:
    signals.contact_unsubscribed.send(
        Contact,
        contact=contact,
        recipient_lists=lists,
        everything=everything,
        mailing=mailing,
        why=why,
    )
