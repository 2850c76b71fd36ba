"""What is done to recorded events afterwards."""

from __future__ import annotations

import secrets

from django.db import transaction

from ..contacts.actions import lock_contact
from ..contacts.models import Contact
from ..mailings.models import Delivery
from .models import Event, EventKind

CONSENT_KINDS = (EventKind.OPEN, EventKind.CLICK)
"""Kinds that need consent to be known; the others belong to the standing relation."""


def new_copy_key() -> int:
    """Return a random key for a copy that leads to nobody: 1 to 2⁶³−1, stored nowhere by us."""
    return secrets.randbelow(2**63 - 1) + 1


@transaction.atomic
def strip_contact(contact: Contact) -> None:
    """Take *contact* off past opens and clicks; totals and uniques stay as they were.

    All events of one copy get the same random key, so the copy still counts once.
    """
    lock_contact(contact.pk)
    events = Event.objects.filter(contact=contact, kind__in=CONSENT_KINDS)
    for mailing_id in set(events.values_list("mailing_id", flat=True)):
        events.filter(mailing_id=mailing_id).update(contact=None, copy=-new_copy_key())
    Delivery.objects.filter(contact=contact, identified=True).update(identified=False)
