"""What the diagnostics need to know beside the figures; each question is one query."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
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
from ..mailings.models import Delivery, DeliveryState, Mailing
from ..tracking.models import Dimension, Event, EventKind, Scope, Tally, TrackedLink, Verdict
from .comparison import LOOK_BACK

HOUR = timedelta(hours=1)
KEY_OF_HOUR = "%Y-%m-%dT%H"

LATELY = timedelta(days=90)
"""Who has sent nothing for this long is not judged any more."""

Line = tuple[int | None, int | None]
"""Sender and site: whose mailings are compared with each other."""


def line_of(mailing: Mailing) -> Line:
    return mailing.sender_id, mailing.site_id


def name_of(mailing: Mailing) -> str:
    """Return what editors know the sender of *mailing* by."""
    return mailing.sender.name if mailing.sender else _("Without a sender of its own")


def begun(mailing: Mailing) -> datetime:
    return mailing.started_at or mailing.created_at


def sent_of(emails: Collection[Email]) -> QuerySet[Mailing]:
    """Return what was sent of *emails*, the newest first."""
    return Mailing.objects.started().filter(email__in=emails).select_related("sender", "site")


def earlier_of_senders(mailings: Sequence[Mailing]) -> list[Mailing]:
    """Return what the same senders sent before *mailings*, the newest first.

    For each sender as many as are looked back on, and those that come between.
    """
    per_line: dict[Line, list[Mailing]] = defaultdict(list)
    for mailing in mailings:
        per_line[line_of(mailing)].append(mailing)
    wanted = Q(pk__in=[])
    for line, of_line in per_line.items():
        wanted |= _of_line(line) & Q(started_at__lt=max(map(begun, of_line)))
    most = max((len(of_line) for of_line in per_line.values()), default=0)
    return _newest_of_each_line(wanted, LOOK_BACK + 2 * most)


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
    """Count the copies by the hour of their first click, until each mailing was *age* old."""
    until = {mailing.pk: begun(mailing) + age for mailing in mailings}
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
    """Count contacts who clicked *since* then, and clicked none of so many mails in the silence."""
    clicks = Event.objects.activities().filter(kind=EventKind.CLICK)
    same = {"contact": OuterRef("contact")}
    clicked_before = clicks.filter(at__gte=silent_since, at__lt=since, **same)
    had_mail = Delivery.objects.filter(
        state=DeliveryState.SENT, settled_at__gte=silent_since, settled_at__lt=since, **same
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
    place = Window(
        RowNumber(), partition_by=[F("sender"), F("site")], order_by=[F("started_at").desc(), "-pk"]
    )
    mailings = Mailing.objects.started().filter(
        wanted, started_at__isnull=False, resend_of__isnull=True
    )
    numbered = mailings.select_related("sender", "site").annotate(place=place)
    return list(numbered.filter(place__lte=number))


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
