"""Making a list of people who get mail already: nobody is written to who did not ask for it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.text import slugify

from .models import Contact, RecipientList, Subscription, SubscriptionStatus, Suppression

CHUNK = 1000


def reachable(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """Narrow *contacts* to those who are subscribed to some list and whose address may get mail."""
    subscribed = Subscription.objects.filter(
        contact=OuterRef("pk"), status=SubscriptionStatus.SUBSCRIBED
    )
    suppressed = Suppression.objects.active().filter(email=OuterRef("email"))
    return contacts.filter(Exists(subscribed), ~Exists(suppressed))


@transaction.atomic
def gather(contacts: QuerySet[Contact], *, name: str, source: str) -> RecipientList:
    """Return a new list with those of *contacts* who can be reached; *source* says from where.

    The new subscriptions were nobody's own doing: no event is recorded, nothing is mailed.
    """
    gathered = RecipientList.objects.create(name=name[:120], slug=_free_slug(name))
    keys = list(reachable(contacts).order_by().values_list("pk", flat=True).distinct())
    for start in range(0, len(keys), CHUNK):
        Subscription.objects.bulk_create(
            Subscription(
                contact_id=key,
                recipient_list=gathered,
                status=SubscriptionStatus.SUBSCRIBED,
                source=source[:120],
            )
            for key in keys[start : start + CHUNK]
        )
    return gathered


def _free_slug(name: str) -> str:
    """Return a code that no list has yet."""
    base = slugify(name)[:50] or "list"
    taken = set(RecipientList.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    candidates = (base, *(f"{base}-{number}" for number in range(2, len(taken) + 2)))
    return next(slug for slug in candidates if slug not in taken)
