"""A small world for the statistics screens: an e-mail that was sent, and its five readers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.contacts.models import RecipientList
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import Mailing
from wagtail_email_insights.sending import actions
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.tracking import ledger
from wagtail_email_insights.tracking.models import Device, Event, EventKind, TrackedLink, Verdict

KNOWN = ("ann", "ben", "cleo")
UNKNOWN = ("dan", "eve")


def address(name: str, pk: int, *args: Any) -> str:
    return reverse(Email.snippet_viewset.get_url_name(name), args=[pk, *args])


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def readers() -> RecipientList:
    """A list with three who may be known and two who may not."""
    news = make_list("News")
    for name in (*KNOWN, *UNKNOWN):
        subscribe(make_contact(f"{name}@example.org", agrees=name in KNOWN), news)
    return news


def send(email: Email | None = None, *lists: RecipientList) -> Mailing:
    mailing = make_mailing(email or make_email(), *lists)
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    mailing.refresh_from_db()
    return mailing


def happen(mailing: Mailing, name: str, kind: EventKind = EventKind.CLICK, **fields: Any) -> Event:
    """Have one reader do something; who may not be known does it anonymously."""
    delivery = mailing.deliveries.get(contact__email=f"{name}@example.org")
    known = delivery.identified
    fields.setdefault("at", mailing.started_at + timedelta(minutes=5))
    fields.setdefault("device", Device.PHONE)
    if kind == EventKind.CLICK:
        fields.setdefault("link", link_of(mailing))
    [event] = ledger.store(
        [
            Event(
                kind=kind,
                mailing=mailing,
                contact=delivery.contact if known else None,
                copy=delivery.pk if known else -delivery.pk,
                **fields,
            )
        ]
    )
    return event


def machine_clicks(mailing: Mailing, name: str) -> Event:
    return happen(mailing, name, verdict=Verdict.MACHINE, verdict_reason="trap")


def link_of(mailing: Mailing, position: int = 0) -> TrackedLink:
    return mailing.links.order_by("variant", "position")[position]
