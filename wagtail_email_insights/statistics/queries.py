"""The raw counts behind the figures: a fixed number of queries, however much has happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, Min, OuterRef, Q

from ..conf import app_settings
from ..mailings.models import Delivery, DeliveryState, Mailing, MailingContent
from ..tracking.models import Event, EventKind, TrackedLink, Verdict

BOUNCES = frozenset({EventKind.HARD_BOUNCE, EventKind.SOFT_BOUNCE})

OPENED = [EventKind.OPEN, EventKind.CLICK]
"""A click implies an open: mail clients that load no images report clicks only."""


@dataclass(frozen=True)
class Counts:
    """What happened to some mailings; copies are counted once, totals as often as it happened."""

    audience: int = 0
    attempted: int = 0
    sent: int = 0
    failed: int = 0
    uncertain: int = 0
    identified: int = 0
    opened: int = 0
    opens_total: int = 0
    opened_through_proxy: int = 0
    clicked: int = 0
    clicks_total: int = 0
    clicks_identified: int = 0
    unsubscribed: int = 0
    machine_clicks: int = 0
    machine_opens: int = 0
    hard_bounced: int = 0
    soft_bounced: int = 0
    complained: int = 0
    replied: int = 0
    told_apart: int = 0
    told_apart_bounced: int = 0
    reported: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LinkCount:
    """How often one destination was followed: distinct copies, and clicks in all."""

    url: str
    clicked: int
    clicks_total: int


def count(mailings: Iterable[Mailing]) -> Counts:
    """Add up what happened to *mailings*: sums, so that rates are never averages of rates."""
    ids = [mailing.pk for mailing in mailings]
    return Counts(
        **_count_deliveries(ids),
        **_count_events(ids),
        **_count_bounces(ids),
        reported=reported_kinds(),
    )


def reported_kinds() -> frozenset[str]:
    """Return the kinds of feedback that somebody reports: a mailbox that is read, or past reports.

    What no source reports is absent from the figures, not zero.
    """
    reported = BOUNCES | {EventKind.REPLY} if app_settings.mailboxes else frozenset()
    for kinds in (BOUNCES, {EventKind.COMPLAINT}, {EventKind.REPLY}):
        if not kinds <= reported and Event.objects.filter(kind__in=kinds).exists():
            reported |= kinds
    return frozenset(reported)


def count_links(mailings: Iterable[Mailing]) -> list[LinkCount]:
    """Return every destination in the order of the e-mail, followed or not; one query."""
    by_people = Q(events__kind=EventKind.CLICK) & ~Q(events__verdict=Verdict.MACHINE)
    rows = (
        TrackedLink.objects.filter(mailing__in=[mailing.pk for mailing in mailings])
        .order_by()
        .values("url")
        .annotate(
            first=Min("position"),
            clicked=Count("events__copy", filter=by_people, distinct=True),
            clicks_total=Count("events", filter=by_people),
        )
        .order_by("first", "url")
    )
    return [LinkCount(row["url"], row["clicked"], row["clicks_total"]) for row in rows]


def _count_deliveries(mailing_ids: list[int]) -> dict[str, int]:
    def of(*states: DeliveryState) -> Q:
        return Q(state__in=states)

    return Delivery.objects.filter(mailing__in=mailing_ids).aggregate(
        audience=Count("pk"),
        attempted=Count("pk", filter=~of(DeliveryState.SKIPPED)),
        sent=Count("pk", filter=of(DeliveryState.SENT)),
        failed=Count("pk", filter=of(DeliveryState.FAILED)),
        uncertain=Count("pk", filter=of(DeliveryState.UNCERTAIN)),
        told_apart=Count("pk", filter=of(DeliveryState.SENT) & _told_apart(mailing_ids)),
        # Last: from here on the name means the number, no longer the column.
        identified=Count("pk", filter=of(DeliveryState.SENT) & Q(identified=True)),
    )


def _told_apart(mailing_ids: list[int]) -> Q:
    """Return the copies whose opens and clicks can be counted once per copy.

    All of them where every copy has a number of its own; where anonymous copies share one or are
    not counted, only the identified ones.
    """
    per_copy = MailingContent.objects.filter(
        mailing__in=mailing_ids, anonymous_counting="per_copy"
    ).values("mailing")
    return Q(identified=True) | Q(mailing__in=per_copy)


def _count_bounces(mailing_ids: list[int]) -> dict[str, int]:
    """Count sent copies that came back, each once, the worse reason first.

    A provider's word that a copy arrived in the end outweighs an earlier bounce for now.
    """
    events = Event.objects.filter(mailing__in=mailing_ids)
    same_copy = events.filter(copy=OuterRef("pk"))
    hard = Exists(same_copy.filter(kind=EventKind.HARD_BOUNCE))
    arrived = Exists(same_copy.filter(kind=EventKind.DELIVERED))
    came_back = Delivery.objects.filter(
        pk__in=events.filter(kind__in=BOUNCES).values("copy"),
        mailing__in=mailing_ids,
        state=DeliveryState.SENT,
    ).annotate(hard=hard, soft=~hard & ~arrived)
    return came_back.aggregate(
        hard_bounced=Count("pk", filter=Q(hard=True)),
        soft_bounced=Count("pk", filter=Q(soft=True)),
        told_apart_bounced=Count(
            "pk", filter=(Q(hard=True) | Q(soft=True)) & _told_apart(mailing_ids)
        ),
    )


def _count_events(mailing_ids: list[int]) -> dict[str, int]:
    people = ~Q(verdict=Verdict.MACHINE)
    opens, clicks = Q(kind=EventKind.OPEN), Q(kind=EventKind.CLICK)
    return Event.objects.filter(mailing__in=mailing_ids).aggregate(
        opened=Count("copy", filter=people & Q(kind__in=OPENED), distinct=True),
        opens_total=Count("pk", filter=people & opens),
        opened_through_proxy=Count("copy", filter=opens & Q(verdict=Verdict.PROXY), distinct=True),
        clicked=Count("copy", filter=people & clicks, distinct=True),
        clicks_total=Count("pk", filter=people & clicks),
        clicks_identified=Count("pk", filter=people & clicks & Q(contact__isnull=False)),
        unsubscribed=Count("copy", filter=Q(kind=EventKind.UNSUBSCRIBE), distinct=True),
        complained=Count("copy", filter=Q(kind=EventKind.COMPLAINT), distinct=True),
        replied=Count("copy", filter=Q(kind=EventKind.REPLY), distinct=True),
        machine_clicks=Count("pk", filter=clicks & Q(verdict=Verdict.MACHINE)),
        machine_opens=Count("pk", filter=opens & Q(verdict=Verdict.MACHINE)),
    )
