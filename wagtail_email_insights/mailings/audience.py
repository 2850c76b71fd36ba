"""Who gets a mailing and who does not, and why; computed in the database, set by set.

Candidates are everybody who ever had a subscription to one of the mailing's lists (to any list if
that was chosen), narrowed to its segments if it has any. A candidate is either due or skipped for
the first reason that applies, so that the numbers always add up to the audience.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections, router
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)

from ..contacts.models import Contact, Subscription, SubscriptionStatus, Suppression
from ..segments.queries import segment_q
from .models import Delivery, DeliveryState, Mailing, SkipReason


@dataclass(frozen=True)
class AudienceNumbers:
    """How many would get a mailing now, and how many not, by reason."""

    due: int
    skipped: dict[SkipReason, int]

    @property
    def total(self) -> int:
        return self.due + sum(self.skipped.values())

    @property
    def skipped_total(self) -> int:
        return sum(self.skipped.values())


Narrowing = Callable[[Mailing], Q]
_narrowings: list[Narrowing] = []


def register_narrowing(narrowing: Narrowing) -> Narrowing:
    """Have *narrowing* asked for a filter on the contacts of every mailing.

    For packages further up that know something about audiences; an empty Q changes nothing.
    """
    if narrowing not in _narrowings:
        _narrowings.append(narrowing)
    return narrowing


def candidates(mailing: Mailing) -> QuerySet[Contact]:
    """Return the contacts the mailing is about, each annotated with its ``skip_reason``."""
    subscriptions = subscriptions_of(mailing).filter(contact=OuterRef("pk"))
    contacts = Contact.objects.filter(Exists(subscriptions))
    segments = list(mailing.segments.all())
    if segments:
        contacts = contacts.filter(_any_segment(segments))
    for narrowing in _narrowings:
        contacts = contacts.filter(narrowing(mailing))
    return contacts.annotate(skip_reason=_skip_reason(mailing, subscriptions)).order_by("pk")


def numbers(mailing: Mailing) -> AudienceNumbers:
    """Count the audience as it stands now; one query."""
    contacts: Any = candidates(mailing).order_by()
    by_reason = dict(contacts.values_list("skip_reason").annotate(n=Count("pk")))
    due = by_reason.pop("", 0)
    return AudienceNumbers(due, {SkipReason(reason): n for reason, n in by_reason.items()})


def insert_deliveries(mailing: Mailing) -> None:
    """Write one Delivery per candidate in a single INSERT … SELECT."""
    rows = (
        candidates(mailing)
        .annotate(
            new_mailing=Value(mailing.pk, output_field=Delivery._meta.pk),
            new_state=Case(
                When(skip_reason="", then=Value(DeliveryState.QUEUED.value)),
                default=Value(DeliveryState.SKIPPED.value),
                output_field=CharField(),
            ),
            new_identified=Q(pk__isnull=True),
            new_variant=Value(0),
            new_attempts=Value(0),
            new_error=Value("", output_field=CharField()),
        )
        .values_list(
            "new_mailing",
            "pk",
            "new_state",
            "skip_reason",
            "new_variant",
            "new_identified",
            "new_attempts",
            "new_error",
        )
    )
    columns = (
        "mailing_id",
        "contact_id",
        "state",
        "skip_reason",
        "variant",
        "identified",
        "attempts",
        "error",
    )
    connection = connections[router.db_for_write(Delivery)]
    quote = connection.ops.quote_name
    sql, params = rows.query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(Delivery._meta.db_table)} "
            f"({', '.join(map(quote, columns))}) {sql}",
            params,
        )


def subscriptions_of(mailing: Mailing) -> QuerySet[Subscription]:
    """Return the subscriptions that make a contact part of the mailing, whatever their status."""
    subscriptions = Subscription.objects.all()
    lists = list(mailing.recipient_lists.values_list("pk", flat=True))
    if lists:
        return subscriptions.filter(recipient_list__in=lists)
    return subscriptions if mailing.to_all_lists else subscriptions.none()


def _any_segment(segments: list) -> Q:
    combined = Q()
    for segment in segments:
        combined |= segment_q(segment)
    return combined


def _skip_reason(mailing: Mailing, subscriptions: QuerySet[Subscription]) -> Case:
    def standing(status: SubscriptionStatus) -> Exists:
        return Exists(subscriptions.filter(status=status))

    excluded = list(mailing.excluded_segments.all())
    suppressed = Suppression.objects.active().filter(email=OuterRef("email"))
    reasons: list[When] = [When(Exists(suppressed), then=_reason(SkipReason.SUPPRESSED))]
    if excluded:
        reasons.append(When(_any_segment(excluded), then=_reason(SkipReason.EXCLUDED)))
    reasons += [
        When(Exists(_copies_had(mailing)), then=_reason(SkipReason.DUPLICATE)),
        When(standing(SubscriptionStatus.SUBSCRIBED), then=Value("")),
        When(standing(SubscriptionStatus.PENDING), then=_reason(SkipReason.UNCONFIRMED)),
    ]
    return Case(*reasons, default=_reason(SkipReason.UNSUBSCRIBED), output_field=CharField())


def _copies_had(mailing: Mailing) -> QuerySet[Delivery]:
    """Return the copies that make a contact one who has this e-mail already.

    A resend goes to people who have it, on purpose: only other resends of the same count.
    """
    copies = Delivery.objects.filter(contact=OuterRef("pk"), mailing__email=mailing.email_id)
    if mailing.resend_of_id:
        copies = copies.filter(mailing__resend_of=mailing.resend_of_id)
    return copies.exclude(state__in=[DeliveryState.SKIPPED, DeliveryState.FAILED])


def _reason(reason: SkipReason) -> Value:
    return Value(reason.value)


__all__ = [
    "AudienceNumbers",
    "candidates",
    "insert_deliveries",
    "numbers",
    "subscriptions_of",
]
