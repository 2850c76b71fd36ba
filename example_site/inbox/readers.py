"""Whose mail it is: whoever clicks in the inbox wants to know whether a name will show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wagtail_email_insights.consents.queries import known_among
from wagtail_email_insights.contacts.models import Contact


@dataclass(frozen=True)
class Reader:
    """A contact who got a mail; colleagues and testers are none."""

    name: str
    may_be_known: bool


def readers_of(addresses: Iterable[str]) -> dict[str, Reader]:
    """Return the contacts among *addresses*, each by its address."""
    contacts = list(Contact.objects.filter(email__in=set(addresses)))
    known = known_among([contact.pk for contact in contacts])
    return {
        contact.email: Reader(contact.first_name or contact.email, contact.pk in known)
        for contact in contacts
    }
