"""A mailing that was sent, and what its readers do with it, for the tests of statistics."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from tests.factories import make_contact, make_mailing
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import Delivery, Mailing, MailingContent
from wagtail_email_insights.tracking import ledger
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink


def make_sent(
    *states: str, email: Email | None = None, counting: str = "per_copy", **fields: Any
) -> Mailing:
    """A mailing sent yesterday with one anonymous copy per state; ``known`` is a sent one that is
    identified.
    """
    fields.setdefault("state", "sent")
    fields.setdefault("started_at", timezone.now() - timedelta(days=1))
    fields.setdefault("finished_at", fields["started_at"])
    email = email or Email.objects.create(title="June news", subject="June")
    mailing = make_mailing(email, **fields)
    MailingContent.objects.create(mailing=mailing, anonymous_counting=counting)
    for state in states:
        Delivery.objects.create(
            mailing=mailing,
            contact=make_contact(),
            state="sent" if state == "known" else state,
            identified=state == "known",
            settled_at=fields["started_at"],
        )
    return mailing


def make_link(mailing: Mailing, url: str = "https://example.com/", **fields: Any) -> TrackedLink:
    fields.setdefault("position", mailing.links.count())
    return TrackedLink.objects.create(mailing=mailing, url=url, **fields)


def happen(mailing: Mailing, kind: str, copy: int | Delivery | None = None, **fields: Any) -> Event:
    """Store an event: of a Delivery with its contact's name, of a number, or of no copy."""
    if isinstance(copy, Delivery):
        fields.setdefault("contact", copy.contact)
        fields.setdefault("variant", copy.variant)
        copy = copy.pk
    [event] = ledger.store(
        [Event(mailing=mailing, kind=EventKind(kind).value, copy=copy, **fields)]
    )
    return event


def copies_of(mailing: Mailing) -> list[Delivery]:
    return list(mailing.deliveries.select_related("contact").order_by("pk"))


def moment(text: str) -> datetime:
    return timezone.make_aware(datetime.fromisoformat(text))
