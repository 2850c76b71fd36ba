"""The last look before a copy is built: may it still be sent, and may its reader be known?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from ..conf import app_settings
from ..consents.queries import may_be_known
from ..contacts.models import Contact, SubscriptionStatus
from ..mailings.audience import subscriptions_of, suppressed
from ..mailings.models import Delivery, DeliveryState, SkipReason
from ..tracking.actions import new_copy_key
from .compiling import Copy
from .leases import Lease
from .local_time import hold_during_quiet_hours


def screen(lease: Lease, *, shared_key: bool) -> list[Copy]:
    """Skip claimed copies whose contact has left meanwhile and return the rest, ready to build.

    Runs after the claim was committed: whoever unsubscribed before it gets nothing. With
    *shared_key* all copies that lead to nobody carry the same number.
    """
    _skip_those_who_left(lease)
    _skip_those_who_had_enough(lease)
    hold_during_quiet_hours(lease.claimed, now=timezone.now())
    _decide_identified(lease)
    rows = lease.claimed.select_related("contact").order_by("pk")
    return list(_copies(rows, shared_key=shared_key))


def _skip_those_who_left(lease: Lease) -> None:
    subscribed = subscriptions_of(lease.mailing, OuterRef("contact")).filter(
        status=SubscriptionStatus.SUBSCRIBED
    )
    reasons = (
        (Q(contact=None), SkipReason.UNSUBSCRIBED),
        (Q(suppressed(OuterRef("contact__email"))), SkipReason.SUPPRESSED),
        (~Q(Exists(subscribed)), SkipReason.UNSUBSCRIBED),
    )
    for condition, reason in reasons:
        _skip(lease.claimed.filter(condition), reason)


def _skip_those_who_had_enough(lease: Lease) -> None:
    """Apply the frequency cap: counted over what was sent, in the days that have just passed."""
    if not app_settings.frequency_cap:
        return
    number, days = app_settings.frequency_cap
    recent = (
        Delivery.objects.filter(
            contact=OuterRef("contact"),
            state=DeliveryState.SENT,
            settled_at__gt=timezone.now() - timedelta(days=days),
        )
        .order_by()
        .values("contact")
        .annotate(number=Count("pk"))
        .filter(number__gte=number)
    )
    _skip(lease.claimed.filter(Exists(recent)), SkipReason.FREQUENCY_CAP)


def _skip(deliveries: QuerySet[Delivery], reason: SkipReason) -> None:
    deliveries.update(
        state=DeliveryState.SKIPPED,
        skip_reason=reason,
        settled_at=timezone.now(),
        lease_owner=None,
    )


def _decide_identified(lease: Lease) -> None:
    known = Exists(Contact.objects.filter(may_be_known(), pk=OuterRef("contact")))
    lease.claimed.filter(known).update(identified=True)
    # Only a second attempt can find this set: consent was withdrawn since the first.
    lease.claimed.filter(~known, identified=True).update(identified=False)


def _copies(deliveries: Iterable[Delivery], *, shared_key: bool) -> Iterator[Copy]:
    for delivery in deliveries:
        contact = delivery.contact
        if contact is None:
            # Erased since the claim was screened, an instant ago; the lease lets it go.
            continue
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
