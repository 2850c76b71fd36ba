"""Mailing alerts to colleagues who want to hear of them, each of them once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override
from wagtail.models import Site

from ..site_settings.models import EmailSettings
from . import mails
from .models import Alert, Severity
from .summaries import remark

NEWS = timedelta(days=1)
"""Whoever switches alerts on is not told of older ones, and nobody of what could not be sent."""


def tell(now: datetime | None = None) -> int:
    """Mail the open alerts that nobody was told of; returns how many mails' worth went out."""
    now = now or timezone.now()
    listening = EmailSettings.objects.filter(mail_alerts=True).exclude(summary_to="")
    with override(settings.LANGUAGE_CODE):
        return sum(_tell_site(row, now) for row in listening.select_related("site"))


def _tell_site(row: EmailSettings, now: datetime) -> bool:
    taken = [alert for alert in _untold(row.site, now) if _take(alert, now)]
    if not taken:
        return False
    if mails.send_to_colleagues("alerts", _subject(taken), {"remarks": _remarks(taken, row)}, row):
        return True
    _give_back(taken, now)
    return False


def _untold(site: Site, now: datetime) -> QuerySet[Alert]:
    """Return the alerts that are news to a site; what has no site is the default one's."""
    alerts = Alert.objects.filter(over_at=None, mailed_at=None, raised_at__gte=now - NEWS)
    alerts = alerts.exclude(severity=Severity.NOTICE).select_related("email")
    own = Q(email__mailings__site=site)
    if site.is_default_site:
        own |= Q(email=None) | Q(email__mailings__site=None)
    return alerts.filter(own).distinct()


def _take(alert: Alert, now: datetime) -> bool:
    """Claim the right to tell; False if another worker has."""
    return bool(Alert.objects.filter(pk=alert.pk, mailed_at=None).update(mailed_at=now))


def _give_back(alerts: Sequence[Alert], now: datetime) -> None:
    ids = [alert.pk for alert in alerts]
    Alert.objects.filter(pk__in=ids, mailed_at=now).update(mailed_at=None)


def _subject(alerts: Sequence[Alert]) -> str:
    first = alerts[0]
    if len(alerts) == 1 and first.email:
        return _("Please look at “%(email)s”") % {"email": first.email}
    return ngettext(
        "Your e-mails: %(number)s thing to look at",
        "Your e-mails: %(number)s things to look at",
        len(alerts),
    ) % {"number": len(alerts)}


def _remarks(alerts: Sequence[Alert], row: EmailSettings) -> list:
    return [remark(alert, row) for alert in alerts]
