"""What the diagnostics need to know beside the figures; each question is one query."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from ..emails.models import Email
from ..mailings.models import OPEN_STATES, Delivery, DeliveryState, Mailing
from ..tracking.models import Dimension, Event, EventKind, Scope, Tally, TrackedLink, Verdict

LOOK_BACK = 20
"""Mailings of a sender that say what is usual."""

HOUR = timedelta(hours=1)
KEY_OF_HOUR = "%Y-%m-%dT%H"

LATELY = timedelta(days=90)
"""Who has sent nothing for this long is not judged any more."""

Line = tuple[int | None, int | None]
"""Sender and site: whose mailings are compared with each other."""


def line_of(mailing: Mailing) -> Line:
    return mailing.sender_id, mailing.site_id


def subject_of(line: Line) -> str:
    """Return what tells the alerts about one sender on one site from those about others."""
    return "-".join(str(pk or "") for pk in line)


def name_of(mailing: Mailing) -> str:
    """Return what editors know the sender of *mailing* by."""
    return mailing.sender.name if mailing.sender else _("Without a sender of its own")


def begun(mailing: Mailing) -> datetime:
    return mailing.started_at or mailing.created_at


def ended(mailing: Mailing) -> datetime:
    """Return when the last copy went out: hours after the first, where readers have their hour."""
    return mailing.finished_at or begun(mailing)


def is_ripe(mailing: Mailing, now: datetime, too_early: timedelta) -> bool:
    """Tell whether the readers of every copy have had at least *too_early* for it."""
    return mailing.state not in OPEN_STATES and now - ended(mailing) >= too_early


def sent_of(emails: Collection[Email]) -> QuerySet[Mailing]:
    """Return what was sent of *emails*, the newest first."""
    return Mailing.objects.started().filter(email__in=emails).select_related("sender", "site")


def earlier_of_senders(
    mailings: Sequence[Mailing], *, most_of_one_email: int
) -> dict[int, list[Mailing]]:
    """Return what the same sender sent before each of *mailings*, by its id, the newest first.

    For each as many as are looked back on, without other sends of the same e-mail, of which there
    are at most so many; what else is asked about makes no difference. One query for all.
    """
    earlier: dict[Line, list[Mailing]] = defaultdict(list)
    for other in _before(mailings, LOOK_BACK + most_of_one_email):
        earlier[line_of(other)].append(other)
    return {
        mailing.pk: list(islice(_beside(mailing, earlier[line_of(mailing)]), LOOK_BACK))
        for mailing in mailings
    }


def lately(now: datetime) -> list[Mailing]:
    """Return the newest mailings of every sender who sent something lately, the newest first."""
    lines = (
        Mailing.objects.filter(started_at__gte=now - LATELY)
        .order_by()
        .values_list("sender", "site")
        .distinct()
    )
    wanted = Q(pk__in=[])
    for line in lines:
        wanted |= _of_line(line)
    return _newest_of_each_line(wanted, LOOK_BACK)


def with_links(mailing_ids: Collection[int]) -> set[int]:
    """Return those of the mailings that have links to follow."""
    links = TrackedLink.objects.filter(mailing__in=mailing_ids, document_id=None)
    return set(links.order_by().values_list("mailing", flat=True).distinct())


def opens_by_proxies(mailing_ids: Collection[int]) -> dict[int, int]:
    """Count the opens that came through the image proxy of a mail service, by mailing."""
    rows = Tally.objects.filter(
        mailing__in=mailing_ids,
        scope=Scope.EVERYTHING,
        dimension=Dimension.VERDICT,
        key__startswith=f"{Verdict.PROXY.value}:",
    )
    return dict(rows.values_list("mailing").annotate(n=Sum("opens")))


def opened_at_once(mailings: Sequence[Mailing]) -> dict[int, int]:
    """Count the copies first opened in the very hour in which sending began, by mailing."""
    rows = _hours([mailing.pk for mailing in mailings]).filter(
        key=_key_by_mailing({mailing.pk: begun(mailing) for mailing in mailings})
    )
    return dict(rows.values_list("mailing", "opened"))


def clicked_by_hour(mailings: Sequence[Mailing], age: timedelta) -> dict[int, dict[datetime, int]]:
    """Count the copies by the hour of their first click, until *age* after the last went out."""
    until = {mailing.pk: ended(mailing) + age for mailing in mailings}
    found: dict[int, dict[datetime, int]] = defaultdict(dict)
    rows = _hours(until).filter(clicked__gt=0, key__lte=_key_by_mailing(until))
    for mailing_id, key, clicked in rows.values_list("mailing", "key", "clicked"):
        found[mailing_id][datetime.strptime(key, KEY_OF_HOUR).replace(tzinfo=UTC)] = clicked
    return found


def had_it_twice(mailings: Mapping[int, Sequence[Mailing]]) -> dict[int, int]:
    """Count contacts who have an e-mail more than once, by e-mail; resends are twice on purpose.

    Costs as much as the e-mails have copies, so it is for the background.
    """
    originals = {
        pk: [mailing.pk for mailing in of_one if mailing.resend_of_id is None]
        for pk, of_one in mailings.items()
    }
    several = [pk for of_one in originals.values() if len(of_one) > 1 for pk in of_one]
    if not several:
        return {}
    rows = (
        Delivery.objects.filter(
            mailing__in=several, state=DeliveryState.SENT, contact__isnull=False
        )
        .order_by()
        .values_list("mailing__email", "contact")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
    )
    return Counter(email_id for email_id, _contact, _n in rows.iterator())


def count_returned(since: datetime, silent_since: datetime, mails: int) -> int:
    """Count contacts who clicked *since* then, and clicked none of so many mails in the silence.

    Only mails in which a click of theirs would have been seen, and would still be there, make it
    one: whoever agreed to be known only now was not silent, but unknown.
    """
    clicks = Event.objects.activities().filter(kind=EventKind.CLICK)
    same = {"contact": OuterRef("contact")}
    clicked_before = clicks.filter(at__gte=silent_since, at__lt=since, **same)
    had_mail = Delivery.objects.filter(
        state=DeliveryState.SENT,
        identified=True,
        mailing__totals__events_removed_at__isnull=True,
        settled_at__gte=silent_since,
        settled_at__lt=since,
        **same,
    )
    returned = clicks.filter(
        ~Exists(clicked_before),
        Exists(had_mail[mails - 1 : mails]),
        at__gte=since,
        contact__created_at__lt=silent_since,
    )
    return returned.order_by().aggregate(n=Count("contact", distinct=True))["n"]


def _of_line(line: Line) -> Q:
    sender, site = line
    return Q(sender=sender, site=site)


def _newest_of_each_line(wanted: Q, number: int) -> list[Mailing]:
    numbered = _comparable(wanted).annotate(place=_place_by("sender", "site"))
    return list(numbered.filter(place__lte=number))


def _before(mailings: Sequence[Mailing], number: int) -> list[Mailing]:
    """Return what is between the *mailings* of each line, and so many before the first of them."""
    per_line: dict[Line, list[datetime]] = defaultdict(list)
    for mailing in mailings:
        per_line[line_of(mailing)].append(begun(mailing))
    wanted = Q(pk__in=[])
    before_all = []
    for line, times in per_line.items():
        wanted |= _of_line(line) & Q(started_at__lt=max(times))
        before_all.append(When(_of_line(line) & Q(started_at__lt=min(times)), then=Value(1)))
    numbered = _comparable(wanted).annotate(
        is_before=Case(*before_all, default=Value(0), output_field=IntegerField()),
        place=_place_by("sender", "site", "is_before"),
    )
    return list(numbered.filter(Q(is_before=0) | Q(place__lte=number)))


def _beside(mailing: Mailing, others: Iterable[Mailing]) -> Iterator[Mailing]:
    """Yield those of *others* that *mailing* is compared with."""
    return (
        other
        for other in others
        if begun(other) < begun(mailing) and other.email_id != mailing.email_id
    )


def _comparable(wanted: Q) -> QuerySet[Mailing]:
    """Narrow to what can be compared: all of it has gone out, and to whoever it was meant for."""
    mailings = Mailing.objects.started().exclude(state__in=OPEN_STATES)
    return mailings.filter(wanted, started_at__isnull=False, resend_of__isnull=True).select_related(
        "sender", "site"
    )


def _place_by(*names: str) -> Window:
    return Window(
        RowNumber(),
        partition_by=[F(name) for name in names],
        order_by=[F("started_at").desc(), "-pk"],
    )


def _hours(mailing_ids: Collection[int]) -> QuerySet[Tally]:
    return Tally.objects.filter(
        mailing__in=list(mailing_ids), scope=Scope.READERS, dimension=Dimension.HOUR
    )


def _key_by_mailing(times: Mapping[int, datetime]) -> Case | Value:
    whens = [
        When(mailing=pk, then=Value(at.astimezone(UTC).strftime(KEY_OF_HOUR)))
        for pk, at in times.items()
    ]
    return Case(*whens, default=Value(""), output_field=CharField())
