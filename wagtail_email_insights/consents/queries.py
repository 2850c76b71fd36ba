"""Who agreed to what: the newest record of a contact decides."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import CharField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact
from django.utils.translation import get_language

from ..conf import app_settings
from ..contacts.models import Contact
from .models import Consent, ConsentAction, ConsentRecord, ConsentVersion


def tracking_consent() -> Consent | None:
    """Return the consent that lets opens and clicks be known; None when it was deleted."""
    return Consent.objects.filter(code=app_settings.tracking_consent).first()


def current_version(consent: Consent, language: str | None = None) -> ConsentVersion | None:
    """Return the newest wording in *language*, else in its base language, else the newest."""
    language = language or get_language() or ""
    versions = list(consent.versions.order_by("-published_at", "-id"))
    for wanted in (language, language.split("-")[0]):
        for version in versions:
            if version.language == wanted:
                return version
    return versions[0] if versions else None


def agreed(consent_code: str) -> Q:
    """Return a filter on Contact: the newest record for the consent is an agreement.

    One index look-up per contact, inside the database.
    """
    latest_action = Subquery(
        ConsentRecord.objects.filter(contact=OuterRef("pk"), consent__code=consent_code)
        .order_by("-id")
        .values("action")[:1],
        output_field=CharField(),
    )
    # Without Coalesce a contact who was never asked compares as NULL and is lost by exclude().
    return Q(Exact(Coalesce(latest_action, Value("")), Value(ConsentAction.AGREE.value)))


def may_be_known() -> Q:
    """Return a filter on Contact: agreed to tracking and has not chosen "do not follow me"."""
    return Q(do_not_track=False) & agreed(app_settings.tracking_consent)


def known_among(contact_ids: Iterable[int]) -> set[int]:
    """Return those of the contacts whose opens and clicks may be recorded with their name, now."""
    contacts = Contact.objects.filter(may_be_known(), pk__in=list(contact_ids))
    return set(contacts.values_list("pk", flat=True))


def is_known(contact_id: int) -> bool:
    """Tell whether this contact's opens and clicks may be recorded with their name, now."""
    return contact_id in known_among([contact_id])
