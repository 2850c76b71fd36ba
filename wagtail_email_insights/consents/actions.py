"""Agreeing and withdrawing: each adds one record and tells whoever listens."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from .. import signals
from ..contacts.actions import lock_contacts
from ..contacts.models import Contact
from .models import Consent, ConsentAction, ConsentRecord, ConsentVersion


@transaction.atomic
def agree(
    contact: Contact, version: ConsentVersion, *, source: str = "", at: datetime | None = None
) -> ConsentRecord:
    """Record that *contact* agreed to exactly this wording."""
    record = ConsentRecord.objects.create(
        contact=contact,
        consent=version.consent,
        version=version,
        action=ConsentAction.AGREE,
        source=source,
        at=at or timezone.now(),
    )
    signals.consent_agreed.send(ConsentRecord, record=record)
    return record


@transaction.atomic
def withdraw(
    contact: Contact, consent: Consent, *, source: str = "", at: datetime | None = None
) -> ConsentRecord:
    """Record that *contact* takes an agreement back; listeners strip what it had allowed."""
    # A click that is being stored with the name is waited for, and stripped with the others.
    lock_contacts(contact.pk)
    record = ConsentRecord.objects.create(
        contact=contact,
        consent=consent,
        action=ConsentAction.WITHDRAW,
        source=source,
        at=at or timezone.now(),
    )
    signals.consent_withdrawn.send(ConsentRecord, record=record)
    return record


def publish_wording(
    consent: Consent, *, language: str, short_text: str, full_text: str = ""
) -> ConsentVersion:
    """Make this wording the current one; earlier wordings stay for those who agreed to them."""
    version, _created = ConsentVersion.objects.update_or_create(
        consent=consent,
        language=language,
        content_hash=ConsentVersion.hash_of(short_text, full_text),
        defaults={"published_at": timezone.now()},
        create_defaults={"short_text": short_text, "full_text": full_text},
    )
    return version
