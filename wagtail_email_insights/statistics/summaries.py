"""A mail to colleagues after every day, week or month: what was sent, and how it was received."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override
from wagtail.models import Site

from ..conf import app_settings
from ..site_settings.models import EmailSettings, SummaryRhythm
from . import diagnostics, mails
from .models import Alert
from .overview import Overview, OverviewFilters, OverviewRow, overview
from .wording import number, percent

logger = logging.getLogger(__name__)

MORNING = time(7)
"""The figures of a period are mailed on the morning after it, by the site's clock."""

MOST = 20
"""Mailings that are listed one by one."""

DASH = "–"


@dataclass(frozen=True)
class Total:
    """One figure over everything that was sent, beside the period before."""

    label: str
    now: str
    before: str


@dataclass(frozen=True)
class Line:
    """One mailing, as it stands in the mail."""

    title: str
    url: str
    delivered: str
    opened: str
    clicked: str
    unsubscribed: str


@dataclass(frozen=True)
class Remark:
    """Something that looked wrong when the mail was written."""

    title: str
    label: str
    sentence: str
    url: str


def send_due(now: datetime | None = None) -> int:
    """Send every summary whose time has come; returns how many were.

    A site that fails is logged, and tried again next time.
    """
    now = now or timezone.now()
    wanted = EmailSettings.objects.exclude(summary_rhythm="").exclude(summary_to="")
    return sum(_try_to_send(row, now) for row in wanted.select_related("site"))


def last_period(rhythm: str, now: datetime) -> tuple[datetime, datetime]:
    """Return beginning and end of the last day, week or month whose morning after has come."""
    local = timezone.localtime(now, _zone())
    today = local.date() if local.time() >= MORNING else local.date() - timedelta(days=1)
    if rhythm == SummaryRhythm.MONTHLY:
        end = today.replace(day=1)
        start = (end - timedelta(days=1)).replace(day=1)
    elif rhythm == SummaryRhythm.WEEKLY:
        end = today - timedelta(days=today.weekday())
        start = end - timedelta(days=7)
    else:
        end, start = today, today - timedelta(days=1)
    return _midnight(start), _midnight(end)


def _start_of_period_before(rhythm: str, start: datetime) -> datetime | None:
    """Return when the month before begins: it is seldom as long; None for days and weeks."""
    if rhythm != SummaryRhythm.MONTHLY:
        return None
    last_day = timezone.localtime(start, _zone()).date() - timedelta(days=1)
    return _midnight(last_day.replace(day=1))


def _try_to_send(row: EmailSettings, now: datetime) -> bool:
    start, end = last_period(row.summary_rhythm, now)
    if not _take(row, end, now):
        return False
    try:
        with override(settings.LANGUAGE_CODE), timezone.override(_zone()):
            return _send(row, start, end)
    except Exception:
        logger.exception("The summary of %s failed and is tried again", row.site)
        _give_back(row, now)
        return False


def _take(row: EmailSettings, end: datetime, now: datetime) -> bool:
    """Claim the period that ended then; False if somebody else has."""
    open_rows = EmailSettings.objects.filter(Q(summary_sent_at=None) | Q(summary_sent_at__lt=end))
    return bool(open_rows.filter(pk=row.pk).update(summary_sent_at=now))


def _give_back(row: EmailSettings, now: datetime) -> None:
    mine = EmailSettings.objects.filter(pk=row.pk, summary_sent_at=now)
    mine.update(summary_sent_at=row.summary_sent_at)


def _send(row: EmailSettings, start: datetime, end: datetime) -> bool:
    """Send the mail; False where nothing was sent in the period and there is nothing to tell."""
    filters = OverviewFilters(
        start=start,
        end=end,
        site=_only(row.site),
        before_start=_start_of_period_before(row.summary_rhythm, start),
    )
    seen = overview(filters)
    if not seen.rows:
        return False
    period = _name_of(row.summary_rhythm, start, end)
    subject = _("%(site)s: your e-mails, %(period)s") % {
        "site": row.site.site_name or row.site.hostname,
        "period": period,
    }
    context = {
        "period": period,
        "totals": _totals(seen),
        "lines": [_line(one, row) for one in seen.rows[:MOST]],
        "more": max(0, len(seen.rows) - MOST),
        "best": [_line(one, row) for one in seen.best[:1]],
        "worst": [_line(one, row) for one in seen.worst[:1]],
        "floor": app_settings.ranking_floor,
        "remarks": _remarks(row),
    }
    if not mails.send_to_colleagues("summary", subject, context, row):
        raise mails.mail.MailError("no address took the summary")
    return True


def _only(site: Site) -> Site | None:
    """Return *site* where there are several: else mailings without a site are its own too."""
    return site if Site.objects.count() > 1 else None


def _totals(seen: Overview) -> list[Total]:
    totals, is_first = [], not seen.previous.counts.sent
    for figure in seen.totals:
        before = None if is_first else seen.previous.get(figure.code)
        totals.append(
            Total(
                label=str(figure.label),
                now=_told(figure.value, figure.rate),
                before=_told(before.value, before.rate) if before else DASH,
            )
        )
    return totals


def _told(value: int, rate: float | None) -> str:
    return f"{number(value)} ({DASH if rate is None else percent(rate)})"


def _line(one: OverviewRow, row: EmailSettings) -> Line:
    def rate(code: str) -> str:
        found = one.figures[code].rate
        return DASH if found is None else percent(found)

    return Line(
        title=str(one.mailing.email),
        url=mails.admin_url("statistics", row, one.mailing.email),
        delivered=number(one.figures["delivered"].value),
        opened=rate("opened"),
        clicked=rate("clicked"),
        unsubscribed=number(one.figures["unsubscribed"].value),
    )


def _remarks(row: EmailSettings) -> Sequence[Remark]:
    site = _only(row.site)
    alerts = Alert.objects.filter(over_at=None).select_related("email")
    if site:
        alerts = alerts.filter(Q(email=None) | Q(email__mailings__site=site)).distinct()
    return [remark(alert, row) for alert in alerts]


def remark(alert: Alert, row: EmailSettings) -> Remark:
    """Return what a mail says of *alert*."""
    known = diagnostics.get(alert.code)
    return Remark(
        title=str(alert.email) if alert.email else "",
        label=str(known.label) if known else alert.code,
        sentence=alert.sentence,
        url=mails.admin_url("statistics", row, alert.email) if alert.email else "",
    )


def _name_of(rhythm: str, start: datetime, end: datetime) -> str:
    if rhythm == SummaryRhythm.MONTHLY:
        return date_format(start, "YEAR_MONTH_FORMAT")
    first, last = (date_format(day, "DATE_FORMAT") for day in (start, end - timedelta(hours=1)))
    return first if rhythm == SummaryRhythm.DAILY else f"{first} {DASH} {last}"


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), _zone())


def _zone() -> tzinfo:
    return timezone.get_default_timezone()
