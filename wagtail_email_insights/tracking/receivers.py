"""What happens further down becomes an event here; connected in ``apps.ready``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.signals import request_finished
from django.db.models.signals import post_delete, post_save, pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext as _
from wagtail.models import ModelLogEntry

from .. import signals
from ..consents.models import ConsentRecord
from ..consents.queries import tracking_consent
from ..contacts.models import Contact, RecipientList, Subscription
from ..mailings.models import Delivery, Mailing
from . import ledger, links, recording, totals
from .actions import strip_contact
from .models import Event, EventKind, TrackedLink

FOREIGN_WORDS = (
    EventKind.HARD_BOUNCE,
    EventKind.SOFT_BOUNCE,
    EventKind.COMPLAINT,
    EventKind.REPLY,
    EventKind.AUTO_REPLY,
)
"""Kinds whose value holds what a mail server or the person wrote."""


@receiver(signals.subscription_requested)
def record_request(*, subscription: Subscription, **_kwargs: Any) -> None:
    _record_standing(EventKind.SUBSCRIBE, subscription)


@receiver(signals.subscription_confirmed)
def record_confirmation(*, subscription: Subscription, **_kwargs: Any) -> None:
    _record_standing(EventKind.CONFIRM, subscription)


@receiver(signals.contact_unsubscribed)
def record_unsubscribe(
    *,
    contact: Contact,
    recipient_lists: Iterable[RecipientList],
    everything: bool,
    mailing: Any,
    why: str = "",
    **_kwargs: Any,
) -> None:
    """Store one event per list left; with nothing to leave, one for "everything"."""
    left: list[RecipientList | None] = list(recipient_lists)
    copy, variant = _copy_of(contact, mailing)
    ledger.store(
        [
            Event(
                kind=EventKind.UNSUBSCRIBE,
                contact=contact,
                mailing=mailing,
                recipient_list=recipient_list,
                copy=copy,
                variant=variant,
                value="everything" if everything else "",
                why=why,
            )
            for recipient_list in left or [None]
        ]
    )


@receiver(signals.mailing_state_changed)
def count_copies_anew(*, mailing: Mailing, **_kwargs: Any) -> None:
    totals.forget([mailing.pk])


@receiver(post_save, sender=Contact)
def strip_after_objection(*, instance: Contact, created: bool, **_kwargs: Any) -> None:
    """ "Do not follow" reaches back, like a withdrawn consent."""
    if instance.do_not_track and not created:
        strip_contact(instance)


@receiver(signals.consent_withdrawn)
def strip_after_withdrawal(*, record: ConsentRecord, **_kwargs: Any) -> None:
    consent = tracking_consent()
    if consent and record.consent_id == consent.pk:
        strip_contact(record.contact)


@receiver(pre_delete, sender=Contact)
def forget_address(*, instance: Contact, **_kwargs: Any) -> None:
    """Copies, events and log entries outlive the contact; the address in them must not.

    Mail servers like to repeat it in their answers, and Wagtail logs what a contact is called.
    """
    strip_contact(instance)
    Delivery.objects.filter(contact=instance).exclude(error="").update(error="")
    Event.objects.filter(contact=instance, kind__in=FOREIGN_WORDS).update(value="")
    entries = ModelLogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Contact, for_concrete_model=False),
        object_id=str(instance.pk),
    )
    entries.update(label=_("contact %(number)s") % {"number": instance.pk})


request_finished.connect(recording.after_response, dispatch_uid="email_insights_after_response")


@receiver(post_save, sender=TrackedLink)
@receiver(post_delete, sender=TrackedLink)
def forget_destinations(*, created: bool = False, **_kwargs: Any) -> None:
    if not created:
        links.forget()


def _record_standing(kind: EventKind, subscription: Subscription) -> None:
    ledger.store(
        [
            Event(
                kind=kind,
                contact=subscription.contact,
                recipient_list=subscription.recipient_list,
                value=subscription.source,
            )
        ]
    )


def _copy_of(contact: Contact, mailing: Any) -> tuple[int | None, int]:
    if mailing is None:
        return None, 0
    copies = mailing.deliveries.filter(contact=contact).values_list("pk", "variant")
    return copies.first() or (None, 0)
