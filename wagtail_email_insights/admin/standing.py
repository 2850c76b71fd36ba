"""Where a contact stands, as lists and pages say it."""

from __future__ import annotations

from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    OuterRef,
    Prefetch,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.utils.translation import gettext as _

from ..consents.queries import may_be_known
from ..contacts.models import (
    Contact,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)


def active_suppressions() -> QuerySet[Suppression]:
    return Suppression.objects.active().filter(email=OuterRef("email"))


def with_standing(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """Add what a row of the list shows; two queries for any number of rows."""
    subscriptions = Subscription.objects.select_related("recipient_list").order_by(
        "recipient_list__name"
    )
    return contacts.annotate(
        is_known=Case(
            When(may_be_known(), then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        ),
        suppression=Subquery(active_suppressions().values("reason")[:1]),
    ).prefetch_related(Prefetch("subscriptions", queryset=subscriptions))


def standing_in_words(contact: Any) -> str:
    """Return the best standing on any list, or why nothing is sent at all."""
    if contact.suppression:
        return str(SuppressionReason(contact.suppression).label)
    reached = {subscription.status for subscription in contact.subscriptions.all()}
    for status in (
        SubscriptionStatus.SUBSCRIBED,
        SubscriptionStatus.PENDING,
        SubscriptionStatus.UNSUBSCRIBED,
    ):
        if status in reached:
            return str(status.label)
    return _("On no list")


def is_reachable(contact: Any) -> bool:
    """Tell whether a mailing to some list would reach *contact*; needs ``with_standing``."""
    return not contact.suppression and any(
        subscription.status == SubscriptionStatus.SUBSCRIBED
        for subscription in contact.subscriptions.all()
    )
