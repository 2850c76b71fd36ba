"""Sets the scene for readers who click, run inside the site whose links they follow."""

from __future__ import annotations

import json
import time

from django.utils import timezone

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights import tokens
from wagtail_email_insights.consents.actions import withdraw
from wagtail_email_insights.consents.queries import tracking_consent
from wagtail_email_insights.contacts.actions import unsubscribe
from wagtail_email_insights.contacts.models import Contact, RecipientList
from wagtail_email_insights.mailings.models import Delivery, Mailing
from wagtail_email_insights.tokens import Kind
from wagtail_email_insights.tracking import draining, recorders, recording, tallies
from wagtail_email_insights.tracking.links import destination
from wagtail_email_insights.tracking.models import TrackedLink

LINKS = 5


def print_addresses(number: int) -> None:
    """Make a mailing; print an address in each of so many anonymous copies, numbered from 1."""
    mailing = make_mailing(make_email(), state="sent", started_at=timezone.now())
    links = _links(mailing)
    paths = [
        f"/email/c/{tokens.make(Kind.CLICK_ANONYMOUS, links[copy % LINKS], copy)}"
        for copy in range(1, number + 1)
    ]
    print(json.dumps(paths))


def print_addresses_of_people(number: int) -> None:
    """The same for people who agreed to be known and are on a list; also prints their copies."""
    mailing = make_mailing(make_email(), news := make_list(), state="sent")
    links, paths = _links(mailing), []
    for copy in range(number):
        contact = make_contact(f"reader{copy}@example.org", agrees=True)
        subscribe(contact, news)
        delivery = Delivery.objects.create(
            mailing=mailing, contact=contact, state="sent", identified=True
        )
        token = tokens.make(Kind.CLICK, links[copy % LINKS], delivery.pk)
        paths.append(f"/email/c/{token}")
    print(json.dumps(paths))


def put_down(number: int) -> None:
    """Have so many clicks wait, a few at a time, wherever the site puts them."""
    mailing = make_mailing(make_email(), state="sent", started_at=timezone.now())
    target = destination(_links(mailing)[0])
    lines = [
        recording.observe_link(tokens.Token(Kind.CLICK_ANONYMOUS, (target.link_id, copy)), target)
        for copy in range(1, number + 1)
    ]
    for start in range(0, number, 50):
        recorders.recorder().write([hit.line() for hit in lines[start : start + 50]])


def drain_in_small_batches() -> None:
    draining.LIMIT = 40
    recording.drain()


def drain_for_ever() -> None:
    while True:
        recording.drain()
        time.sleep(0.05)


def leave_and_withdraw(remainder: int) -> None:
    """Have every second person leave the list and then withdraw, while others drain."""
    for contact in Contact.objects.order_by("?"):
        if contact.pk % 2 == remainder:
            mailing = Mailing.objects.get()
            unsubscribe(contact, list(RecipientList.objects.filter(name="News")), mailing=mailing)
            withdraw(contact, tracking_consent())
            tallies.rebuild(mailing)
            time.sleep(0.1)


def print_wrong_sums() -> None:
    """Print every stored number that the events do not bear out, after draining the rest."""
    recording.drain()
    wrong = [str(difference) for one in Mailing.objects.all() for difference in tallies.audit(one)]
    print(json.dumps(wrong))


def _links(mailing: Mailing) -> list[int]:
    links = [
        TrackedLink.objects.create(
            mailing=mailing, position=number, url=f"https://example.com/{number}"
        )
        for number in range(LINKS)
    ]
    return [link.pk for link in links]
