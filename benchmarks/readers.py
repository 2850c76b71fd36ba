"""Copies whose links are followed, and what became of the clicks; run with the site's settings.

python -m benchmarks.readers make FILE     a mailing; writes an address a line
python -m benchmarks.readers count         drains and prints what is stored
python -m benchmarks.readers drain         drains once a second, like a worker, until it is ended
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

COPIES = 10_000
LINKS = 20


def main() -> None:
    django.setup()
    verb, *arguments = sys.argv[1:]
    {"make": make, "count": count, "drain": drain}[verb](*arguments)


def make(file: str) -> None:
    """Make a mailing whose copies are identified and anonymous by halves."""
    from django.core.management import call_command
    from django.utils import timezone

    from tests.factories import make_email, make_mailing

    call_command("migrate", verbosity=0)
    mailing = make_mailing(make_email(), state="sent", started_at=timezone.now())
    addresses = list(_addresses(mailing, _links(mailing)))
    random.Random(4).shuffle(addresses)
    Path(file).write_text("".join(f"{address}\n" for address in addresses))


def count() -> None:
    """Make events of all that waits, and print how many there are and how fast that went."""
    from wagtail_email_insights.mailings.models import Mailing
    from wagtail_email_insights.tracking import recording, tallies
    from wagtail_email_insights.tracking.models import Event

    began = time.perf_counter()
    drained = recording.drain()
    rate = drained / (time.perf_counter() - began)
    wrong = sum(len(tallies.audit(mailing)) for mailing in Mailing.objects.all())
    events = Event.objects.count()
    print(json.dumps({"events": events, "drained": drained, "rate": rate, "wrong": wrong}))


def drain() -> None:
    from wagtail_email_insights.tracking import standby

    standby.begin()
    while True:
        time.sleep(60)


def _links(mailing: Any) -> list[Any]:
    from wagtail_email_insights.tracking.models import TrackedLink

    return TrackedLink.objects.bulk_create(
        TrackedLink(mailing=mailing, position=number, url=f"https://example.com/{number}?a=1")
        for number in range(LINKS)
    )


def _addresses(mailing: Any, links: list[Any]) -> Iterator[str]:
    """Yield two addresses of each copy."""
    from wagtail_email_insights.tokens import Kind, make
    from wagtail_email_insights.tracking.actions import new_copy_key

    anonymous = [(Kind.CLICK_ANONYMOUS, new_copy_key()) for _ in range(COPIES // 2)]
    identified = [(Kind.CLICK, delivery.pk) for delivery in _deliveries(mailing)]
    for number, (kind, copy) in enumerate(anonymous + identified):
        for link in (links[number % LINKS], links[(number + 7) % LINKS]):
            yield f"/email/c/{make(kind, link.pk, copy)}"


def _deliveries(mailing: Any) -> list[Any]:
    from tests.factories import tracking_wording
    from wagtail_email_insights.consents.models import ConsentRecord
    from wagtail_email_insights.contacts.models import Contact
    from wagtail_email_insights.mailings.models import Delivery

    wording = tracking_wording()
    people = Contact.objects.bulk_create(
        Contact(email=f"known{number}@example.org") for number in range(COPIES // 2)
    )
    ConsentRecord.objects.bulk_create(
        ConsentRecord(contact=person, consent=wording.consent, version=wording, action="agree")
        for person in people
    )
    return Delivery.objects.bulk_create(
        Delivery(mailing=mailing, contact=person, state="sent", identified=True)
        for person in people
    )


if __name__ == "__main__":
    main()
