"""Acting on what came back: every source ends in these verbs, and nothing counts twice.

Bounces, complaints and replies belong to the standing relation: they are recorded with the contact
whatever the tracking consent says.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ..conf import app_settings
from ..contacts import actions as contact_actions
from ..contacts.models import Contact, Suppression, SuppressionReason
from ..mailings.models import Delivery, DeliveryState
from ..tracking import ledger, totals
from ..tracking.models import Event, EventKind
from .addresses import address_in, is_daemon
from .bounces import read_message
from .finding import Subject, find_subject
from .imports import import_suppressions
from .messages import Part, parse
from .models import Reply, SeenReport
from .replies import trim_reply
from .reports import Category, Report, ReportKind

logger = logging.getLogger(__name__)

BELIEVED_FOR = timedelta(days=14)
"""Anybody can mail us a bounce that names somebody else's address. One without a token of ours is
believed only while a mail of ours to that address is this young."""

BOUNCES = (SuppressionReason.HARD_BOUNCE, SuppressionReason.SOFT_BOUNCES)

MAX_FULL_TEXT = 100_000
MAX_REPLY = 20_000

__all__ = [
    "handle",
    "import_suppressions",
    "record_complaint",
    "record_delivered",
    "record_hard_bounce",
    "record_reply",
    "record_soft_bounce",
    "reset_bounces",
    "take_in",
]


@transaction.atomic
def handle(raw_bytes: bytes, *, at: datetime | None = None) -> list[Event]:
    """Take in a mail from the bounce or reply mailbox; the same bytes again do nothing.

    Returns the events stored: none for junk. Raises DatabaseError only.
    """
    key = hashlib.sha256(raw_bytes).hexdigest()
    if not first_time(key):
        return []
    message = parse(raw_bytes)
    events = [_take_mail(report, message, at, key) for report in read_message(message)]
    return [event for event in events if event]


def take_in(report: Report, *, at: datetime | None = None) -> Event | None:
    """Act on a report of a trusted source, as a provider's verified webhook is.

    Returns the event stored, None where the report concerns nobody we know, was taken in before
    or says nothing to be stored.
    """
    subject = find_subject(report.token, report.recipient)
    key = f"{report.message_id} {report.recipient}" if report.message_id else ""
    return _act(report, subject, at, key=key) if subject else None


def record_delivered(delivery: Delivery, *, at: datetime | None = None) -> Event | None:
    """The provider says the copy arrived: settles an uncertain one and ends a row of bounces."""
    return _delivered(Subject(delivery.contact, delivery), at)


def record_hard_bounce(
    contact: Contact | None,
    *,
    delivery: Delivery | None = None,
    reason: str = "",
    at: datetime | None = None,
) -> Event | None:
    """The address will never work: it is suppressed at once."""
    return _hard_bounce(Subject(contact, delivery), reason, at)


def record_soft_bounce(
    contact: Contact | None,
    *,
    delivery: Delivery | None = None,
    reason: str = "",
    at: datetime | None = None,
    counts: bool = True,
) -> Event | None:
    """The copy did not arrive this time; with *counts*, too many in a row suppress for a while.

    A copy counts once, however often its server reports. *counts* is False for what is the
    sender's fault or the whole provider's.
    """
    return _soft_bounce(Subject(contact, delivery), reason, at, counts=counts)


def record_complaint(
    contact: Contact | None,
    *,
    delivery: Delivery | None = None,
    reason: str = "",
    at: datetime | None = None,
) -> Event | None:
    """The person called the mail spam: off every list, and suppressed for ever."""
    return _complaint(Subject(contact, delivery), reason, at)


@transaction.atomic
def record_reply(
    contact: Contact | None,
    *,
    text: str,
    subject: str = "",
    delivery: Delivery | None = None,
    at: datetime | None = None,
    key: str = "",
) -> Event | None:
    """The person answered; *text* is stored without quotation and, in full, up to 100,000 letters.

    *key* tells this reply apart from every other; the same one counts once.
    """
    about = Subject(contact, delivery)
    _hold(about)
    event = _store(EventKind.REPLY, about, subject, at, key)
    if event:
        # PostgreSQL takes no NUL in a text.
        clean = text.replace("\x00", "")[:MAX_FULL_TEXT]
        Reply.objects.create(
            event=event,
            subject=subject.replace("\x00", "")[:250],
            text=trim_reply(clean)[:MAX_REPLY],
            full_text=clean,
        )
    return event


@transaction.atomic
def reset_bounces(contact: Contact) -> bool:
    """Give the address another chance; returns whether bounces had suppressed it.

    Complaints and blocks by hand stay.
    """
    Contact.objects.filter(pk=contact.pk).update(soft_bounces=0)
    contact.soft_bounces = 0
    bounced = Suppression.objects.filter(email=contact.email, reason__in=BOUNCES)
    deleted, _per_model = bounced.delete()
    return bool(deleted)


def first_time(key: str) -> bool:
    """Note that *key* was seen; False if it was before. The unique column decides a race."""
    _seen, created = SeenReport.objects.get_or_create(key=key)
    return created


def _take_mail(report: Report, message: Part, at: datetime | None, key: str) -> Event | None:
    believed_since = timezone.now() - BELIEVED_FOR
    subject = find_subject(report.token, report.recipient, since=believed_since)
    if not subject:
        return None
    if report.kind == ReportKind.NONE and report.category != Category.DELIVERED:
        return _take_reply(subject, message, at, key)
    return _act(report, subject, at, key=key)


def _take_reply(subject: Subject, message: Part, at: datetime | None, key: str) -> Event | None:
    writer = message.header("from")
    if not address_in(writer) or is_daemon(writer) or message.header("return-path") == "<>":
        return None
    return record_reply(
        subject.contact,
        text=message.readable,
        subject=message.header("subject"),
        delivery=subject.delivery,
        at=at,
        key=key,
    )


@transaction.atomic
def _act(report: Report, subject: Subject, at: datetime | None, key: str = "") -> Event | None:
    value = f"{report.category}: {report.reason}" if report.reason else str(report.category)
    match report.kind:
        case ReportKind.HARD:
            return _hard_bounce(subject, value, at, key)
        case ReportKind.SOFT:
            counts = not report.is_senders_fault
            return _soft_bounce(subject, value, at, key, counts=counts)
        case ReportKind.COMPLAINT:
            return _complaint(subject, report.reason, at, key)
        case ReportKind.AUTO_REPLY:
            _hold(subject)
            return _store(EventKind.AUTO_REPLY, subject, report.reason, at, key)
    # Without a token it may be any mail to this person that arrived, a confirmation for example.
    arrived = report.category == Category.DELIVERED and subject.certain
    return _delivered(subject, at, key) if arrived else None


@transaction.atomic
def _delivered(subject: Subject, at: datetime | None, key: str = "") -> Event | None:
    _hold(subject)
    _settle_uncertain(subject, at)
    event = _store(EventKind.DELIVERED, subject, "", at, key)
    if event and subject.contact:
        Contact.objects.filter(pk=subject.contact.pk).update(soft_bounces=0)
    return event


@transaction.atomic
def _hard_bounce(subject: Subject, value: str, at: datetime | None, key: str = "") -> Event | None:
    _hold(subject)
    _settle_uncertain(subject, at)
    event = _store(EventKind.HARD_BOUNCE, subject, value, at, key)
    if event and subject.contact:
        contact_actions.suppress(subject.contact.email, SuppressionReason.HARD_BOUNCE, note=value)
    return event


@transaction.atomic
def _soft_bounce(
    subject: Subject, value: str, at: datetime | None, key: str = "", *, counts: bool
) -> Event | None:
    _hold(subject)
    _settle_uncertain(subject, at)
    event = _store(EventKind.SOFT_BOUNCE, subject, value, at, key)
    if event and subject.contact and counts:
        _count_soft_bounce(subject.contact, value)
    return event


@transaction.atomic
def _complaint(subject: Subject, value: str, at: datetime | None, key: str = "") -> Event | None:
    _hold(subject)
    _settle_uncertain(subject, at)
    event = _store(EventKind.COMPLAINT, subject, value, at, key)
    if event and subject.contact:
        # Before the unsubscription, which would suppress too, but for a reason that can be lifted.
        contact_actions.suppress(subject.contact.email, SuppressionReason.COMPLAINT, note=value)
        contact_actions.unsubscribe_from_all(subject.contact, mailing=subject.mailing)
    return event


def _hold(subject: Subject) -> None:
    """Lock the contact before the sums: whoever records clicks takes them in that order too."""
    if subject.contact:
        contact_actions.lock_contacts(subject.contact.pk)


def _count_soft_bounce(contact: Contact, value: str) -> None:
    Contact.objects.filter(pk=contact.pk).update(soft_bounces=F("soft_bounces") + 1)
    contact.refresh_from_db(fields=["soft_bounces"])
    limit, days = app_settings.soft_bounce_limit, app_settings.soft_bounce_days
    if limit and contact.soft_bounces >= limit:
        until = timezone.now() + timedelta(days=days)
        contact_actions.suppress(
            contact.email, SuppressionReason.SOFT_BOUNCES, note=value, expires_at=until
        )


def _settle_uncertain(subject: Subject, at: datetime | None) -> None:
    """A copy that anything came back for had left."""
    if subject.delivery and subject.certain:
        Delivery.objects.filter(pk=subject.delivery.pk, state=DeliveryState.UNCERTAIN).update(
            state=DeliveryState.SENT, settled_at=at or timezone.now(), lease_owner=None, error=""
        )
        totals.forget([subject.delivery.mailing_id])


def _store(
    kind: EventKind, subject: Subject, value: str, at: datetime | None, key: str = ""
) -> Event | None:
    """Insert the event unless it is there; None then.

    Of one copy there is one event per kind, but as many replies as are written.
    """
    if subject.delivery and kind not in (EventKind.REPLY, EventKind.AUTO_REPLY):
        key = f"{kind}:{subject.delivery.pk}"
    if key and not first_time(hashlib.sha256(f"{kind}:{key}".encode()).hexdigest()):
        return None
    event = Event(
        kind=kind,
        at=at or timezone.now(),
        contact=subject.contact,
        mailing=subject.mailing,
        variant=subject.delivery.variant if subject.delivery else 0,
        copy=subject.delivery.pk if subject.delivery else None,
        value=value.replace("\x00", "")[:250],
    )
    ledger.store([event])
    return event
