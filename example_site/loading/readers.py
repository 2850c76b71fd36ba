"""What readers do with a letter, told to the app's own recorder as if it happened today."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from wagtail_email_insights.consents.actions import withdraw
from wagtail_email_insights.consents.queries import tracking_consent
from wagtail_email_insights.contacts.actions import unsubscribe
from wagtail_email_insights.contacts.models import Contact, Subscription, SubscriptionStatus
from wagtail_email_insights.mailings.models import Delivery, DeliveryState, Mailing
from wagtail_email_insights.tokens import Kind, Token
from wagtail_email_insights.tracking import ledger
from wagtail_email_insights.tracking.actions import new_copy_key
from wagtail_email_insights.tracking.hits import Observation, Traits
from wagtail_email_insights.tracking.links import destination
from wagtail_email_insights.tracking.models import (
    Device,
    Event,
    EventKind,
    LeavingReason,
    TrackedLink,
    Verdict,
)
from wagtail_email_insights.tracking.recording import observe_link, observe_mailing
from wagtail_email_insights.tracking.taking_in import take_in

from .people import MAIN_LIST

OPENS = 0.44
CLICKS_AMONG_OPENS = 0.28
WEB_VIEWS_AMONG_OPENS = 0.03
LEAVERS = 5

PROGRAMS = (
    (
        Traits(device=Device.PHONE, client="apple_mail"),
        Traits(device=Device.PHONE, client="safari"),
    ),
    (
        Traits(Verdict.PROXY, "image_proxy", client="gmail"),
        Traits(device=Device.PHONE, client="chrome"),
    ),
    (Traits(device=Device.DESKTOP, client="outlook"), Traits(device=Device.DESKTOP, client="edge")),
    (
        Traits(device=Device.DESKTOP, client="thunderbird"),
        Traits(device=Device.DESKTOP, client="firefox"),
    ),
    (Traits(Verdict.PROXY, "apple_privacy"), Traits(device=Device.TABLET, client="safari")),
)
"""What readers open an e-mail with, and what they follow links with."""
SCANNERS = 0.04
"""Copies whose links a company's filter follows before anybody reads them."""

BATCH = 1000


def read_letter(mailing: Mailing, chance: random.Random, now: datetime) -> None:
    """Have some readers open *mailing*, fewer click, a filter click everything, and some leave."""
    links = list(TrackedLink.objects.filter(mailing=mailing))
    hits: list[Observation] = []
    for delivery in mailing.deliveries.filter(state=DeliveryState.SENT):
        copy = delivery.pk if delivery.identified else new_copy_key()
        if chance.random() < SCANNERS:
            hits += _scan(delivery, copy, links, chance)
        if chance.random() < OPENS:
            hits += _read(delivery, copy, links, chance, now)
    for start in range(0, len(hits), BATCH):
        take_in(hits[start : start + BATCH])
    _leave(mailing, chance, now)


def withdraw_consents(contacts: Iterable[Contact], chance: random.Random, now: datetime) -> None:
    """Take agreements back within the last days; what they had allowed is stripped by the app."""
    consent = tracking_consent()
    for contact in contacts:
        at = now - timedelta(days=chance.uniform(0.1, 3.5))
        withdraw(contact, consent, source="Wrote to us", at=at)


def _read(
    delivery: Delivery,
    copy: int,
    links: Sequence[TrackedLink],
    chance: random.Random,
    now: datetime,
) -> Iterator[Observation]:
    """One copy in one reader's hands: opened once or more, perhaps a link or two followed."""
    opens_with, follows_with = chance.choice(PROGRAMS)
    moments = _opening_moments(delivery.settled_at, chance, now)
    for at in moments:
        yield _open(delivery, copy, opens_with, at)
    if moments and chance.random() < WEB_VIEWS_AMONG_OPENS:
        yield _view(delivery, copy, follows_with, moments[0] + timedelta(seconds=9))
    if moments and chance.random() < CLICKS_AMONG_OPENS:
        at = moments[-1]
        # The letter's own topic draws most.
        weights = [6, *[2] * (len(links) - 1)]
        for link in dict.fromkeys(chance.choices(links, weights, k=chance.choice((1, 1, 2)))):
            at += timedelta(seconds=chance.uniform(5, 90))
            yield _click(delivery, copy, link, follows_with, at)


def _scan(
    delivery: Delivery, copy: int, links: Sequence[TrackedLink], chance: random.Random
) -> Iterator[Observation]:
    """A filter that looks like a browser and follows every link within a second."""
    at = delivery.settled_at + timedelta(seconds=chance.uniform(5, 60))
    for link in links:
        yield _click(delivery, copy, link, Traits(device=Device.DESKTOP, client="chrome"), at)
        at += timedelta(milliseconds=chance.uniform(5, 60))


def _opening_moments(sent_at: datetime, chance: random.Random, now: datetime) -> list[datetime]:
    """Half of all first openings fall into the first five hours; some look again later."""
    moment = sent_at + timedelta(minutes=2, hours=chance.lognormvariate(1.6, 1.3))
    moments = []
    for _time in range(chance.choice((1, 1, 1, 2, 3))):
        moments.append(moment)
        moment += timedelta(hours=chance.expovariate(1 / 9))
    return [moment for moment in moments if moment < now]


def _open(delivery: Delivery, copy: int, traits: Traits, at: datetime) -> Observation:
    kind = Kind.OPEN if delivery.identified else Kind.OPEN_ANONYMOUS
    token = Token(kind, (delivery.mailing_id, copy, delivery.variant))
    return observe_mailing(token, traits, at=at)


def _view(delivery: Delivery, copy: int, traits: Traits, at: datetime) -> Observation:
    kind = Kind.WEB_VERSION if delivery.identified else Kind.WEB_VERSION_ANONYMOUS
    token = Token(kind, (delivery.mailing_id, copy, delivery.variant))
    return observe_mailing(token, traits, at=at)


def _click(
    delivery: Delivery, copy: int, link: TrackedLink, traits: Traits, at: datetime
) -> Observation:
    kind = Kind.CLICK if delivery.identified else Kind.CLICK_ANONYMOUS
    if link.document_id:
        kind = Kind.FILE if delivery.identified else Kind.FILE_ANONYMOUS
    return observe_link(Token(kind, (link.pk, copy)), destination(link.pk), traits, at=at)


def _leave(mailing: Mailing, chance: random.Random, now: datetime) -> None:
    """A few leave the second list that the letter went to; the first one keeps everybody."""
    second = mailing.recipient_lists.exclude(slug=MAIN_LIST).get()
    members = second.subscriptions.filter(
        status=SubscriptionStatus.SUBSCRIBED,
        contact__deliveries__in=mailing.deliveries.filter(state=DeliveryState.SENT),
    ).select_related("contact")
    leavers = chance.sample(list(members), min(LEAVERS, len(members)))
    for subscription in leavers:
        unsubscribe(subscription.contact, [second], mailing=mailing)
    sent_at = mailing.started_at
    moments = [sent_at + (now - sent_at) * chance.random() ** 3 for _leaver in leavers]
    _set_back(leavers, mailing, moments, chance)


def _set_back(
    leavers: Sequence[Subscription],
    mailing: Mailing,
    moments: Sequence[datetime],
    chance: random.Random,
) -> None:
    """Leaving knows no other time than now: put it where the story has it."""
    for subscription, at in zip(leavers, moments, strict=True):
        Subscription.objects.filter(pk=subscription.pk).update(changed_at=at)
        events = Event.objects.filter(
            kind=EventKind.UNSUBSCRIBE, mailing=mailing, contact=subscription.contact_id
        )
        copies = list(events.values_list("copy", flat=True))
        with ledger.keeping_tallies(mailing.pk, copies):
            events.update(at=at, why=chance.choice(LeavingReason.values))
