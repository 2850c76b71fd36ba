"""Sets the scene for a mailing to many people, run inside the site whose mailing it is."""

from __future__ import annotations

import random
import time

from wagtail.models import Site

from tests.factories import make_email, make_list, make_mailing
from tests.resilience.accounts import REFUSED, UNSUBSCRIBED
from tests.story.stage import set_up
from wagtail_email_insights.contacts.models import Contact, Subscription, SubscriptionStatus
from wagtail_email_insights.mailings.models import Mailing
from wagtail_email_insights.sending import actions


def start_mailing(people: int) -> Mailing:
    """Start a mailing to *people* contacts; some refused, and a few more who have left."""
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
    mailing = make_mailing(make_email(), everybody, site=site)
    actions.start(mailing)
    return mailing


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
