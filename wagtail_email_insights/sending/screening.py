"""The last look before a copy is built: may it still be sent, and may its reader be known?

Each question is one query over the contacts of the batch, by their keys, so that it costs the same
whether the list has a thousand or a million people on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from ..conf import app_settings
from ..consents.queries import may_be_known
from ..contacts.models import Contact, SubscriptionStatus, Suppression
from ..mailings.audience import subscriptions_of
from ..mailings.models import Delivery, DeliveryState, SkipReason
from ..tracking.actions import new_copy_key
from .compiling import Copy
from .leases import Lease
from .local_time import hold_during_quiet_hours

Contacts = dict[int, Contact]


def screen(lease: Lease, *, shared_key: bool) -> list[Copy]:
    """Skip claimed copies whose contact has left meanwhile and return the rest, ready to build.

    Runs after the claim was committed: whoever unsubscribed before it gets nothing. With
    *shared_key* all copies that lead to nobody carry the same number.
    """
    hold_during_quiet_hours(lease.claimed, now=timezone.now())
    deliveries = list(lease.claimed.select_related("contact").order_by("pk"))
    deliveries = _without_skipped(lease, deliveries)
    _decide_identified(lease, deliveries)
    return list(_copies(deliveries, shared_key=shared_key))


def _without_skipped(lease: Lease, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Skip whoever may not be mailed any more, each for the first reason that applies."""
    left = list(deliveries)
    for reason, find in REASONS:
        contacts = {delivery.contact.pk: delivery.contact for delivery in left if delivery.contact}
        excluded = find(lease, contacts)
        skipped = [delivery for delivery in left if _key(delivery) in excluded]
        if skipped:
            _skip(lease, skipped, reason)
            left = [delivery for delivery in left if _key(delivery) not in excluded]
    return left


def _key(delivery: Delivery) -> int | None:
    """Return the contact's key; None for a contact who was erased."""
    return delivery.contact.pk if delivery.contact else None


def _erased(lease: Lease, contacts: Contacts) -> set[int | None]:
    return {None}


def _suppressed(lease: Lease, contacts: Contacts) -> set[int | None]:
    by_address = {contact.email: pk for pk, contact in contacts.items()}
    suppressed = Suppression.objects.active().filter(email__in=by_address)
    return {by_address[email] for email in suppressed.values_list("email", flat=True)}


def _not_subscribed(lease: Lease, contacts: Contacts) -> set[int | None]:
    subscribed = subscriptions_of(lease.mailing).filter(
        contact__in=contacts, status=SubscriptionStatus.SUBSCRIBED
    )
    missing: set[int | None] = {*contacts}
    return missing.difference(subscribed.values_list("contact_id", flat=True))


def _had_enough(lease: Lease, contacts: Contacts) -> set[int | None]:
    """Apply the frequency cap: counted over what was sent, in the days that have just passed."""
    if not app_settings.frequency_cap:
        return set()
    number, days = app_settings.frequency_cap
    recent = (
        Delivery.objects.filter(
            contact__in=contacts,
            state=DeliveryState.SENT,
            settled_at__gt=timezone.now() - timedelta(days=days),
        )
        .order_by()
        .values_list("contact")
        .annotate(number=Count("pk"))
        .filter(number__gte=number)
    )
    return {contact for contact, _number in recent}


REASONS: tuple[tuple[SkipReason, Callable[[Lease, Contacts], set[int | None]]], ...] = (
    (SkipReason.UNSUBSCRIBED, _erased),
    (SkipReason.SUPPRESSED, _suppressed),
    (SkipReason.UNSUBSCRIBED, _not_subscribed),
    (SkipReason.FREQUENCY_CAP, _had_enough),
)


def _skip(lease: Lease, deliveries: Sequence[Delivery], reason: SkipReason) -> None:
    lease.claimed.filter(pk__in=[delivery.pk for delivery in deliveries]).update(
        state=DeliveryState.SKIPPED,
        skip_reason=reason,
        settled_at=timezone.now(),
        lease_owner=None,
    )


def _decide_identified(lease: Lease, deliveries: Sequence[Delivery]) -> None:
    """Note on each copy whether its links will name it: consent as it stands now."""
    contacts = [delivery.contact.pk for delivery in deliveries if delivery.contact]
    known = set(
        Contact.objects.filter(may_be_known(), pk__in=contacts)
        .order_by()
        .values_list("pk", flat=True)
    )
    for identified in (True, False):
        changed = [
            delivery
            for delivery in deliveries
            if (delivery.contact_id in known) is identified
            and delivery.identified is not identified
        ]
        if changed:
            ids = [delivery.pk for delivery in changed]
            lease.claimed.filter(pk__in=ids).update(identified=identified)
        for delivery in changed:
            delivery.identified = identified


def _copies(deliveries: Sequence[Delivery], *, shared_key: bool) -> Iterator[Copy]:
    for delivery in deliveries:
        contact = delivery.contact
        if contact is None:
            continue  # skipped before; nothing to build
        anonymous_key = 0 if shared_key else new_copy_key()
        yield Copy(
            delivery_id=delivery.pk,
            address=contact.email,
            first_name=contact.first_name,
            last_name=contact.last_name,
            identified=delivery.identified,
            key=delivery.pk if delivery.identified else anonymous_key,
            variant=delivery.variant,
        )
