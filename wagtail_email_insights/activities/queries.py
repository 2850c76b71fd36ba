"""Who did what: events that name a contact.

Each read first takes in what was recorded but is no event yet, so that an activity shows as soon as
its reader has been answered.
"""

from __future__ import annotations

from django.db.models import QuerySet

from ..contacts.models import Contact
from ..emails.models import Email
from ..mailings.models import Mailing
from ..tracking import recording
from ..tracking.models import Event, EventKind, TrackedLink

OF_MAILINGS = (
    EventKind.OPEN,
    EventKind.CLICK,
    EventKind.DOWNLOAD,
    EventKind.WEB_VIEW,
    EventKind.UNSUBSCRIBE,
    EventKind.REPLY,
    EventKind.AUTO_REPLY,
    EventKind.DELIVERED,
    EventKind.SOFT_BOUNCE,
    EventKind.HARD_BOUNCE,
    EventKind.COMPLAINT,
)
"""The kinds that can happen to a mailing; the others belong to a list."""


def everything() -> QuerySet[Event]:
    """Return the activities of all contacts."""
    recording.catch_up()
    return _with_names(Event.objects.activities())


def of_email(email: Email) -> QuerySet[Event]:
    """Return the activities on every mailing of *email*."""
    # The keys, not a subquery: so the database knows when it is one mailing and reads its index.
    mailings = list(email.mailings.values_list("pk", flat=True))
    return everything().filter(mailing__in=mailings)


def of_contact(contact: Contact) -> QuerySet[Event]:
    """Return everything *contact* is known to have done."""
    return everything().filter(contact=contact)


def addresses_in(email: Email) -> list[str]:
    """Return what the links and attachments in the mailings of *email* lead to, each once."""
    mailings = Mailing.objects.filter(email=email)
    links = TrackedLink.objects.filter(mailing__in=mailings).order_by("position", "variant")
    return list(dict.fromkeys(links.values_list("url", flat=True)))


def _with_names(activities: QuerySet[Event]) -> QuerySet[Event]:
    return activities.select_related("contact", "link", "recipient_list", "mailing__email")
