"""What readers do with a letter, told to the app's own recorder as if it happened today."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from wagtail_email_insights.consents.actions import withdraw
from wagtail_email_insights.consents.queries import tracking_consent
from wagtail_email_insights.contacts.actions import unsubscribe
from wagtail_email_insights.contacts.models import Contact, Subscription, SubscriptionStatus
from wagtail_email_insights.mailings.models import Delivery, DeliveryState, Mailing
from wagtail_email_insights.tokens import Kind, Token
from wagtail_email_insights.tracking import recording
from wagtail_email_insights.tracking.actions import new_copy_key
from wagtail_email_insights.tracking.links import destination
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink, Verdict
from wagtail_email_insights.tracking.verdicts import Judgement

from .people import MAIN_LIST

OPENS = 0.44
CLICKS_AMONG_OPENS = 0.28
LEAVERS = 5

PERSON = Judgement(Verdict.HUMAN)
PROXY = Judgement(Verdict.PROXY, "image_proxy")


def read_letter(mailing: Mailing, chance: random.Random, now: datetime) -> None:
    """Have some readers open *mailing*, fewer click, and a handful leave."""
    links = list(TrackedLink.objects.filter(mailing=mailing))
    for delivery in mailing.deliveries.filter(state=DeliveryState.SENT):
        if chance.random() < OPENS:
            _read(delivery, links, chance, now)
    _leave(mailing, chance, now)


def withdraw_consents(contacts: Iterable[Contact], chance: random.Random, now: datetime) -> None:
    """Take agreements back within the last days; what they had allowed is stripped by the app."""
    consent = tracking_consent()
    for contact in contacts:
        at = now - timedelta(days=chance.uniform(0.1, 3.5))
        withdraw(contact, consent, source="Wrote to us", at=at)


def _read(
    delivery: Delivery, links: Sequence[TrackedLink], chance: random.Random, now: datetime
) -> None:
    """One copy in one reader's hands: opened once or more, perhaps a link or two followed."""
    copy = delivery.pk if delivery.identified else new_copy_key()
    moments = _opening_moments(delivery.settled_at, chance, now)
    for at in moments:
        _open(delivery, copy, PROXY if chance.random() < 0.3 else PERSON, at)
    if moments and chance.random() < CLICKS_AMONG_OPENS:
        _follow(delivery, copy, links, moments[-1], chance)


def _opening_moments(sent_at: datetime, chance: random.Random, now: datetime) -> list[datetime]:
    """Half of all first openings fall into the first five hours; some look again later."""
    moment = sent_at + timedelta(minutes=2, hours=chance.lognormvariate(1.6, 1.3))
    moments = []
    for _time in range(chance.choice((1, 1, 1, 2, 3))):
        moments.append(moment)
        moment += timedelta(hours=chance.expovariate(1 / 9))
    return [moment for moment in moments if moment < now]


def _follow(
    delivery: Delivery,
    copy: int,
    links: Sequence[TrackedLink],
    opened_at: datetime,
    chance: random.Random,
) -> None:
    """The letter's own topic draws most; nobody follows two links within the same second."""
    weights = [6, *[2] * (len(links) - 1)]
    at = opened_at
    for link in dict.fromkeys(chance.choices(links, weights, k=chance.choice((1, 1, 2)))):
        at += timedelta(seconds=chance.uniform(5, 90))
        _click(delivery, copy, link, at)


def _open(delivery: Delivery, copy: int, judgement: Judgement, at: datetime) -> None:
    kind = Kind.OPEN if delivery.identified else Kind.OPEN_ANONYMOUS
    token = Token(kind, (delivery.mailing_id, copy, delivery.variant))
    recording.record(recording.observe_open(token, judgement, at=at))


def _click(delivery: Delivery, copy: int, link: TrackedLink, at: datetime) -> None:
    kind = Kind.CLICK if delivery.identified else Kind.CLICK_ANONYMOUS
    token = Token(kind, (link.pk, copy))
    recording.record(recording.observe_click(token, destination(link.pk), PERSON, at=at))


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
    _set_back(leavers, mailing, moments)


def _set_back(
    leavers: Sequence[Subscription], mailing: Mailing, moments: Sequence[datetime]
) -> None:
    """Leaving knows no other time than now: put it where the story has it."""
    for subscription, at in zip(leavers, moments, strict=True):
        Subscription.objects.filter(pk=subscription.pk).update(changed_at=at)
        Event.objects.filter(
            kind=EventKind.UNSUBSCRIBE, mailing=mailing, contact=subscription.contact_id
        ).update(at=at)
