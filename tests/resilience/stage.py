"""Sets the scene for a mailing to many people, run inside the site whose mailing it is."""

from __future__ import annotations

import json
import random
import threading
import time
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from wagtail.models import Site

from tests.factories import make_email, make_list, make_mailing
from tests.resilience.accounts import REFUSED, UNSUBSCRIBED
from tests.story.stage import set_up
from wagtail_email_insights.contacts.actions import unsubscribe
from wagtail_email_insights.contacts.models import (
    Contact,
    RecipientList,
    Subscription,
    SubscriptionStatus,
)
from wagtail_email_insights.mailings.models import Delivery, Mailing
from wagtail_email_insights.sending import actions, batches
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.sending.leases import Lease


def start_mailing(people: int) -> None:
    """Start a mailing to *people* contacts; some refused, and a few more who have left."""
    actions.start(_draft(people))


def schedule_mailing(people: int) -> None:
    """Schedule the same mailing for this moment."""
    mailing = _draft(people)
    actions.schedule(mailing, timezone.now() + timedelta(seconds=1))


def _draft(people: int) -> Mailing:
    set_up()
    everybody = make_list("Everybody")
    _subscribe(everybody, [f"reader{number}@example.org" for number in range(people - REFUSED)])
    _subscribe(everybody, [f"refused{number}@example.org" for number in range(REFUSED)])
    _subscribe(
        everybody,
        [f"left{number}@example.org" for number in range(UNSUBSCRIBED)],
        SubscriptionStatus.UNSUBSCRIBED,
    )
    site = Site.objects.get(is_default_site=True)
    return make_mailing(make_email(), everybody, site=site)


def _subscribe(
    recipient_list: object,
    addresses: list[str],
    status: SubscriptionStatus = SubscriptionStatus.SUBSCRIBED,
) -> None:
    contacts = Contact.objects.bulk_create(Contact(email=address) for address in addresses)
    Subscription.objects.bulk_create(
        Subscription(contact=contact, recipient_list=recipient_list, status=status)
        for contact in contacts
    )


def pause_and_resume(times: int) -> None:
    """Pause and resume the mailing again and again; each has to work."""
    mailing = Mailing.objects.get()
    for _number in range(times):
        actions.pause(mailing)
        time.sleep(random.uniform(0, 0.1))
        actions.resume(mailing)
        time.sleep(random.uniform(0, 0.1))


class NotingLease(Lease):
    """Remembers when the claim of each copy began, for which nothing later can have mattered."""

    begun: dict[int, float] = {}

    def claim(self, limit: int) -> list[int]:
        began = time.monotonic()
        ids = super().claim(limit)
        self.begun.update(dict.fromkeys(ids, began))
        return ids


def send_while_people_leave(number: int) -> None:
    """Send the mailing while so many people leave; prints when each left and was claimed."""
    batches.Lease = NotingLease
    mailing = Mailing.objects.get()
    work_on(mailing, seconds=0)
    left: dict[str, float] = {}
    leaving = threading.Thread(target=_leave, args=(number, left))
    leaving.start()
    while work_on(mailing, seconds=20):
        pass
    leaving.join()
    print(json.dumps(left))
    print(json.dumps(_claims_by_address()))


def _leave(number: int, left: dict[str, float]) -> None:
    everybody = RecipientList.objects.get(name="Everybody")
    readers = Contact.objects.filter(email__startswith="reader").order_by("?")
    for contact in readers[:number]:
        unsubscribe(contact, [everybody])
        left[contact.email] = time.monotonic()
    connection.close()


def _claims_by_address() -> dict[str, float]:
    addresses = Delivery.objects.values_list("pk", "contact__email")
    return {email: NotingLease.begun[pk] for pk, email in addresses if pk in NotingLease.begun}
