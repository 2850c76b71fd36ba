"""Everybody at once on PostgreSQL: readers, workers, mail servers, people who withdraw."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection, connections
from django.utils import timezone

from tests.factories import make_contact, make_mailing, tracking_wording
from wagtail_email_insights.consents import actions as consents
from wagtail_email_insights.consents.queries import known_among, tracking_consent
from wagtail_email_insights.contacts import actions as contacts
from wagtail_email_insights.contacts.models import Contact
from wagtail_email_insights.feedback import actions as feedback
from wagtail_email_insights.mailings.models import Delivery, Mailing
from wagtail_email_insights.tracking import draining, recording, rejudging, tallies, totals
from wagtail_email_insights.tracking.folding import SEEN
from wagtail_email_insights.tracking.hits import Observation
from wagtail_email_insights.tracking.models import Event, Hit, TrackedLink

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

SECONDS = 12


class Crowd:
    """Threads that each do one thing over and over; what goes wrong is kept."""

    def __init__(self) -> None:
        self.errors: Counter[tuple[str, str]] = Counter()
        self._until = time.monotonic() + SECONDS
        self._threads: list[threading.Thread] = []

    def add(self, act: Callable[[random.Random], object], *, every: float) -> None:
        self._threads.append(threading.Thread(target=self._repeat, args=(act, every)))

    def run(self) -> None:
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def _repeat(self, act: Callable[[random.Random], object], every: float) -> None:
        chance = random.Random(act.__name__)
        try:
            while time.monotonic() < self._until:
                try:
                    act(chance)
                except Exception as error:
                    self.errors[act.__name__, repr(error)[:200]] += 1
                time.sleep(every)
        finally:
            connections.close_all()


def test_nobody_waits_for_ever_nothing_is_lost_and_all_sums_hold(settings):
    if connection.vendor != "postgresql":
        pytest.skip("needs a PostgreSQL server")
    settings.WAGTAIL_EMAIL_INSIGHTS = {"sweep_copies": 3, "soft_bounce_limit": 0}
    wording = tracking_wording()
    consent = tracking_consent()
    people = [make_contact(agrees=True) for _ in range(15)]
    now = timezone.now()
    mailings = [make_mailing(state="sent", started_at=now, finished_at=now) for _ in range(4)]
    links = {mailing.pk: make_links(mailing) for mailing in mailings}
    copies = [make_copy(mailing, person) for mailing in mailings for person in people]
    recorded = []

    def record(chance: random.Random) -> None:
        copy = chance.choice(copies)
        kind = chance.choice(["open", "click", "click", "download"])
        hit = Observation(
            kind=kind,
            at=timezone.now(),
            mailing_id=copy.mailing_id,
            link_id=None if kind == "open" else chance.choice(links[copy.mailing_id]).pk,
            identified=chance.random() < 0.8,
            copy=copy.pk,
            variant=0,
            verdict="human",
            verdict_reason="",
            network=chance.choice([0, 7]),
            evidence="lookahead" if chance.random() < 0.05 else "",
        )
        recording.record(hit)
        recorded.append(hit)

    def withdraw_or_agree(chance: random.Random) -> None:
        person = chance.choice(people)
        if chance.random() < 0.5:
            consents.withdraw(person, consent)
        else:
            consents.agree(person, wording)

    def hear_from_servers(chance: random.Random) -> None:
        copy = chance.choice(copies)
        chance.choice(
            [
                lambda: feedback.record_delivered(copy),
                lambda: feedback.record_soft_bounce(copy.contact, delivery=copy),
                lambda: feedback.record_complaint(copy.contact, delivery=copy),
                lambda: feedback.record_reply(copy.contact, text="Thanks", delivery=copy),
            ]
        )()

    def leave(chance: random.Random) -> None:
        copy = chance.choice(copies)
        contacts.unsubscribe_from_all(copy.contact, mailing=copy.mailing)

    def drain(_chance: random.Random) -> None:
        draining.drain()

    def judge_again(chance: random.Random) -> None:
        rejudging.rejudge(chance.choice(mailings))

    def look(_chance: random.Random) -> None:
        totals.totals_of([mailing.pk for mailing in mailings])

    crowd = Crowd()
    for _ in range(3):
        crowd.add(record, every=0.002)
    crowd.add(drain, every=0.01)
    crowd.add(withdraw_or_agree, every=0.02)
    crowd.add(hear_from_servers, every=0.02)
    crowd.add(leave, every=0.02)
    crowd.add(judge_again, every=0.1)
    crowd.add(look, every=0.05)
    crowd.run()
    draining.drain()

    assert not crowd.errors
    seen = Event.objects.filter(kind__in=SEEN)
    assert seen.count() == sum(not hit.evidence for hit in recorded)
    assert not Hit.objects.exists()
    known = known_among([person.pk for person in people])
    assert not seen.filter(contact__isnull=False).exclude(contact__in=known).exists()
    for mailing in mailings:
        assert tallies.audit(mailing) == []
        stored = totals.totals_of([mailing.pk])[mailing.pk]
        counted = totals.count_copies([mailing.pk])[mailing.pk]
        assert {name: getattr(stored, name) for name in totals.COUNTED} == {
            name: counted[name] for name in totals.COUNTED
        }


def make_links(mailing: Mailing) -> list[TrackedLink]:
    return [
        TrackedLink.objects.create(mailing=mailing, position=n, url=f"https://example.com/{n}")
        for n in range(4)
    ]


def make_copy(mailing: Mailing, person: Contact) -> Delivery:
    return Delivery.objects.create(
        mailing=mailing,
        contact=person,
        state="sent",
        identified=True,
        settled_at=timezone.now(),
    )
