"""What is done to recorded events afterwards."""

from __future__ import annotations

import secrets

from django.db import transaction

from ..contacts.actions import lock_contacts
from ..contacts.models import Contact
from ..mailings.models import WAITING_STATES, Delivery
from . import ledger, tallies, totals
from .models import Event, EventKind, Probe

CONSENT_KINDS = (EventKind.OPEN, EventKind.CLICK, EventKind.DOWNLOAD, EventKind.WEB_VIEW)
"""Kinds that need consent to be known; the others belong to the standing relation."""


def new_copy_key() -> int:
    """Return a random key for a copy that leads to nobody: 1 to 2⁶³−1, stored nowhere by us."""
    return secrets.randbelow(2**63 - 1) + 1


@transaction.atomic
def strip_contact(contact: Contact) -> None:
    """Take *contact* off past opens, clicks, downloads and web views; the sums stay as they were.

    All these events of one copy get the same random key, so the copy still counts once. Waiting
    hits need nothing: consent is asked when they become events.
    """
    lock_contacts(contact.pk)
    events = Event.objects.filter(contact=contact, kind__in=CONSENT_KINDS)
    copies = Delivery.objects.filter(contact=contact)
    identified = copies.filter(identified=True)
    places = set(events.values_list("mailing_id", "copy"))
    # All of them now and in one order, so that nobody who records waits for us while we wait.
    touched = {mailing for mailing, _copy in places if mailing is not None}
    for mailing_id in sorted(touched | set(identified.values_list("mailing_id", flat=True))):
        tallies.lock(mailing_id)
    for mailing_id, copy in sorted((m, c) for m, c in places if m is not None and c is not None):
        _strip_from(mailing_id, copy)
    # What belongs to no copy is counted for nobody; the contact goes all the same.
    events.update(contact=None)
    Probe.objects.filter(copy__in=copies.values("pk")).delete()
    totals.forget(identified.values_list("mailing_id", flat=True))
    # What is still to go out will not be identified when it does.
    identified.exclude(state__in=WAITING_STATES).update(identified=False, withdrawn=True)
    identified.update(identified=False)


def _strip_from(mailing_id: int, copy: int) -> None:
    key = -new_copy_key()
    with ledger.keeping_tallies(mailing_id, [copy, key]):
        events = Event.objects.filter(mailing=mailing_id, copy=copy, kind__in=CONSENT_KINDS)
        events.update(contact=None, copy=key)
        Probe.objects.filter(mailing=mailing_id, copy=copy).update(copy=key)
