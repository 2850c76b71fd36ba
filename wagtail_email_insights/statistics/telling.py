"""Mailing alerts to colleagues who want to hear of them, to each site's colleagues once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from ..mailings.models import Mailing
from ..site_settings.models import EmailSettings
from . import mails
from .models import Alert, Severity
from .summaries import remark

logger = logging.getLogger(__name__)

NEWS = timedelta(days=1)
"""Whoever switches alerts on is not told of older ones, and nobody of what could not be sent."""


def tell(now: datetime | None = None) -> int:
    """Mail the open alerts that nobody was told of; returns to how many sites a mail went.

    An alert is claimed before the first mail, so that no crash and no second worker has it mailed
    twice. Nor is it lost silently: what reached nobody is given back and told next time. Where the
    process was killed in between, the log says which alerts were about to go where, and they stay
    on the screens and in the summary until they are over.
    """
    now = now or timezone.now()
    with override(settings.LANGUAGE_CODE):
        taken = {alert: sites for alert, sites in _audience(now) if _take(alert, now)}
        return _tell_sites(taken, now) if taken else 0


def _audience(now: datetime) -> list[tuple[Alert, Sequence[EmailSettings]]]:
    """Return the alerts that are news, each with the sites that listen and that it concerns."""
    listening = EmailSettings.objects.filter(mail_alerts=True).exclude(summary_to="")
    rows = list(listening.select_related("site").order_by("pk"))
    news = list(_news(now)) if rows else []
    sites = _sites_of(news)
    audience = [
        (alert, [row for row in rows if _concerns(sites.get(alert.email_id), row)])
        for alert in news
    ]
    return [(alert, concerned) for alert, concerned in audience if concerned]


def _news(now: datetime) -> QuerySet[Alert]:
    alerts = Alert.objects.filter(over_at=None, mailed_at=None, news_at__gte=now - NEWS)
    return alerts.exclude(severity=Severity.NOTICE).select_related("email")


def _sites_of(alerts: Iterable[Alert]) -> Mapping[int | None, Collection[int | None]]:
    """Return from which sites each e-mail was sent, by its id."""
    emails = [alert.email_id for alert in alerts if alert.email_id]
    sites: dict[int | None, set[int | None]] = defaultdict(set)
    mailings = Mailing.objects.started().filter(email__in=emails).order_by()
    for email_id, site_id in mailings.values_list("email", "site").distinct():
        sites[email_id].add(site_id)
    return sites


def _concerns(sites: Collection[int | None] | None, row: EmailSettings) -> bool:
    """Tell whether a site is one of *sites*; what belongs to none concerns all who listen."""
    return not sites or None in sites or row.site_id in sites


def _take(alert: Alert, now: datetime) -> bool:
    """Claim the right to tell; False if another worker has."""
    return bool(Alert.objects.filter(pk=alert.pk, mailed_at=None).update(mailed_at=now))


def _give_back(alerts: Iterable[Alert], now: datetime) -> None:
    ids = [alert.pk for alert in alerts]
    Alert.objects.filter(pk__in=ids, mailed_at=now).update(mailed_at=None)


def _tell_sites(taken: Mapping[Alert, Sequence[EmailSettings]], now: datetime) -> int:
    by_site: dict[EmailSettings, list[Alert]] = defaultdict(list)
    for alert, rows in taken.items():
        for row in rows:
            by_site[row].append(alert)
    told: set[Alert] = set()
    number = 0
    try:
        for row, alerts in by_site.items():
            if _tell_site(row, alerts):
                told.update(alerts)
                number += 1
    finally:
        # Also where the worker is asked to end: only a kill comes between.
        _give_back(taken.keys() - told, now)
    return number


def _tell_site(row: EmailSettings, alerts: Sequence[Alert]) -> bool:
    """Send one mail about all *alerts*; False, and a line in the log, where nobody got it."""
    numbers = [alert.pk for alert in alerts]
    logger.info("Mailing the alerts %s to the colleagues of %s", numbers, row.site)
    context = {"remarks": [remark(alert, row) for alert in alerts]}
    try:
        if mails.send_to_colleagues("alerts", _subject(alerts), context, row):
            return True
    except Exception:
        logger.exception("The mail about the alerts %s failed", numbers)
    logger.error("Nobody at %s was told of the alerts %s", row.site, numbers)
    return False


def _subject(alerts: Sequence[Alert]) -> str:
    first = alerts[0]
    if len(alerts) == 1 and first.email:
        return _("Please look at “%(email)s”") % {"email": first.email}
    return ngettext(
        "Your e-mails: %(number)s thing to look at",
        "Your e-mails: %(number)s things to look at",
        len(alerts),
    ) % {"number": len(alerts)}
