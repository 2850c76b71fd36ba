"""Small builders for the objects that most tests need."""

from __future__ import annotations

import itertools
from typing import Any

from django.core.files.base import ContentFile
from wagtail.documents.models import Document

from wagtail_email_insights.consents import actions as consent_actions
from wagtail_email_insights.consents.models import Consent, ConsentVersion
from wagtail_email_insights.contacts.models import (
    Contact,
    RecipientList,
    Subscription,
    SubscriptionStatus,
)
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import Mailing

_numbers = itertools.count(1)


def tracking_wording() -> ConsentVersion:
    consent, _ = Consent.objects.get_or_create(code="tracking", defaults={"name": "Tracking"})
    return consent.versions.first() or consent_actions.publish_wording(
        consent, language="en", short_text="You may see what I click."
    )


def make_contact(email: str = "", *, agrees: bool = False, **fields: Any) -> Contact:
    contact = Contact.objects.create(
        email=email or f"contact{next(_numbers)}@example.org", **fields
    )
    if agrees:
        consent_actions.agree(contact, tracking_wording(), source="test")
    return contact


def make_list(name: str = "News", **fields: Any) -> RecipientList:
    fields.setdefault("slug", f"{name.lower()}-{next(_numbers)}")
    return RecipientList.objects.create(name=name, **fields)


def subscribe(
    contact: Contact,
    recipient_list: RecipientList,
    status: SubscriptionStatus = SubscriptionStatus.SUBSCRIBED,
) -> Subscription:
    return Subscription.objects.create(
        contact=contact, recipient_list=recipient_list, status=status
    )


def make_email(title: str = "June news", **fields: Any) -> Email:
    fields.setdefault("subject", title)
    fields.setdefault(
        "body",
        [
            ("heading", {"text": "Hello", "size": "h1"}),
            ("rich_text", '<p>Read <a href="https://example.com/a?x=1&amp;y=2">this</a>.</p>'),
            ("button", {"text": "Go", "url": "https://example.com/b"}),
        ],
    )
    email = Email(title=title, **fields)
    email.save()
    email.save_revision(clean=False)
    return email


def make_mailing(email: Email | None = None, *lists: RecipientList, **fields: Any) -> Mailing:
    fields.setdefault("to_all_lists", not lists)
    mailing = Mailing.objects.create(email=email or make_email(), **fields)
    mailing.recipient_lists.set(lists)
    return mailing


def make_document(
    name: str = "report.pdf", content: bytes = b"%PDF-1.7 roses", **fields: Any
) -> Document:
    """A Wagtail document; the test sets ``MEDIA_ROOT`` to a folder of its own."""
    return Document.objects.create(title=name, file=ContentFile(content, name), **fields)
