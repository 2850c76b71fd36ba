"""Who did what: events that name a contact, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from django.db.models import BigAutoField, Count, Q, QuerySet

from ..contacts.models import Contact
from ..emails.models import Email
from ..mailings.models import Delivery, DeliveryState
from ..tracking.models import Event, EventKind, Verdict

LARGEST_KEY = BigAutoField.MAX_BIGINT


class Cursor(NamedTuple):
    """A place in the feed: the last event already shown."""

    at: datetime
    pk: int

    @classmethod
    def of(cls, event: Event) -> Cursor:
        return cls(event.at, event.pk)

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Return the cursor that ``str`` wrote; raises ValueError for anything else."""
        written, _, number = text.partition("~")
        at, pk = _aware(written), int(number)
        if not 0 <= pk <= LARGEST_KEY:
            raise ValueError(f"{pk} is no key")
        return cls(at, pk)


class Coverage(NamedTuple):
    """Why the feed shows less than the statistics: how many copies and clicks have a name."""

    sent: int
    identified: int
    clicks: int
    clicks_identified: int


def of_email(email: Email) -> QuerySet[Event]:
    """Return the activities on every mailing of *email*."""
    mailings = list(email.mailings.values_list("pk", flat=True))
    return _with_names(Event.objects.activities().filter(mailing__in=mailings))


def of_contact(contact: Contact) -> QuerySet[Event]:
    """Return everything *contact* is known to have done."""
    return _with_names(Event.objects.activities().filter(contact=contact))


def coverage_of(email: Email) -> Coverage:
    """Count the copies and clicks of every mailing of *email*, all and those with a name."""
    mailings = list(email.mailings.values_list("pk", flat=True))
    copies = Delivery.objects.filter(mailing__in=mailings, state=DeliveryState.SENT)
    clicks = Event.objects.filter(mailing__in=mailings, kind=EventKind.CLICK)
    return Coverage(
        **copies.aggregate(sent=Count("pk"), identified=Count("pk", filter=Q(identified=True))),
        **clicks.exclude(verdict=Verdict.MACHINE).aggregate(
            clicks=Count("pk"), clicks_identified=Count("contact")
        ),
    )


def matching(activities: QuerySet[Event], *, kind: str = "", search: str = "") -> QuerySet[Event]:
    """Narrow *activities* to one kind and to contacts whose name or address contains *search*."""
    if kind:
        activities = activities.filter(kind=kind)
    if search:
        activities = activities.filter(
            Q(contact__email__icontains=search)
            | Q(contact__first_name__icontains=search)
            | Q(contact__last_name__icontains=search)
        )
    return activities


def page(
    activities: QuerySet[Event], *, size: int, after: Cursor | None = None
) -> tuple[list[Event], Cursor | None]:
    """Return up to *size* events older than *after*, and where the next page starts, if any.

    By keyset: page 1,000 costs what page 1 costs, and new events shift nothing.
    """
    if after:
        activities = activities.filter(Q(at__lt=after.at) | Q(at=after.at, pk__lt=after.pk))
    rows = list(activities.order_by("-at", "-pk")[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    return rows, Cursor.of(rows[-1]) if more else None


def _aware(text: str) -> datetime:
    """Read a time in UTC; raises ValueError where the zone is missing or the year leaves range."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range") from error


def _with_names(activities: QuerySet[Event]) -> QuerySet[Event]:
    return activities.select_related("contact", "link", "recipient_list", "mailing__email")
