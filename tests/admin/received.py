"""Mailings that went out and were read, without sending anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.factories import make_email, make_mailing
from wagtail_email_insights.mailings.models import Delivery, DeliveryState, Mailing, MailingState
from wagtail_email_insights.tracking import ledger
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink, Verdict


def received(
    title: str = "June news",
    *lists: Any,
    copies: int = 4,
    clicks: int = 0,
    opens: int = 0,
    days_ago: float = 1,
    **fields: Any,
) -> Mailing:
    """A mailing of identified copies, some of them opened, others clicked."""
    started = timezone.now() - timedelta(days=days_ago)
    fields = {"state": MailingState.SENT, "started_at": started, "finished_at": started} | fields
    mailing = make_mailing(fields.pop("email", None) or make_email(title), *lists, **fields)
    deliveries = Delivery.objects.bulk_create(
        Delivery(mailing=mailing, state=DeliveryState.SENT, identified=True) for _ in range(copies)
    )
    TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.com/")
    happen(mailing, EventKind.CLICK, deliveries[:clicks])
    happen(mailing, EventKind.OPEN, deliveries[clicks : clicks + opens])
    return mailing


def happen(
    mailing: Mailing,
    kind: EventKind,
    deliveries: list[Delivery],
    verdict: Verdict = Verdict.HUMAN,
) -> None:
    """Let the same thing happen to each of these copies."""
    ledger.store(
        [
            Event(kind=kind, mailing=mailing, copy=delivery.pk, verdict=verdict)
            for delivery in deliveries
        ]
    )
