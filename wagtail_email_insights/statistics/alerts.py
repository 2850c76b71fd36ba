"""Findings that somebody should hear of: raised once, told once, over when they no longer hold.

One process at a time brings the table up to date, so that two workers raise nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from ..emails.models import Email
from . import diagnostics
from .diagnostics import Finding
from .models import Alert, Mute

WATCHED = timedelta(days=14)
"""How long after sending an e-mail is watched; the same again within that time is no news."""

VIEW_STATISTICS = "wagtail_email_insights.view_statistics"

Key = tuple[int | None, str, str]
"""Id of the e-mail (none: about many), code of the diagnostic, and what else it is about."""


def open_alerts(user: Any) -> QuerySet[Alert]:
    """Return the alerts that hold now, the newest first; none to who may not see statistics."""
    alerts = Alert.objects.filter(over_at=None).select_related("email")
    return alerts if user.has_perm(VIEW_STATISTICS) else alerts.none()


def refresh(now: datetime | None = None) -> list[Alert]:
    """Look at everything sent lately; opens and closes alerts, returns those newly raised."""
    now = now or timezone.now()
    findings = _findings(now)
    with _alone():
        # Muted while we looked, or another worker was faster: what stands now is what counts.
        muted = set(Mute.objects.values_list("email", "code"))
        findings = {key: found for key, found in findings.items() if key[:2] not in muted}
        known = {_key(alert): alert for alert in Alert.objects.filter(over_at=None)}
        gone = [alert.pk for key, alert in known.items() if key not in findings]
        Alert.objects.filter(pk__in=gone).update(over_at=now)
        for key in findings.keys() & known.keys():
            _bring_up_to_date(known[key], findings[key], now)
        return [_raise(key, findings[key], now) for key in findings.keys() - known.keys()]


def _findings(now: datetime) -> dict[Key, Finding]:
    by_email = diagnostics.findings_for_emails(_watched(now), is_thorough=True, now=now)
    about_all = diagnostics.overall_findings(is_thorough=True, now=now)
    found: list[tuple[int | None, Finding]] = [(None, finding) for finding in about_all]
    for email_id, findings in by_email.items():
        found += [(email_id, finding) for finding in findings]
    return {
        (email_id, finding.code, finding.subject): finding
        for email_id, finding in found
        if finding.is_alert
    }


def _watched(now: datetime) -> QuerySet[Email]:
    """Return what was sent lately; a slow send begins long before it can be judged."""
    since = now - WATCHED
    lately = Q(mailings__started_at__gte=since) | Q(mailings__finished_at__gte=since)
    return Email.objects.filter(lately).distinct()


@contextmanager
def _alone() -> Iterator[None]:
    """Keep other workers out until the transaction ends; the row locked is one that is there."""
    kind = ContentType.objects.get_for_model(Alert)
    with transaction.atomic():
        ContentType.objects.filter(pk=kind.pk).update(model=F("model"))
        yield


def _key(alert: Alert) -> Key:
    return alert.email_id, alert.code, alert.subject


def _raise(key: Key, finding: Finding, now: datetime) -> Alert:
    email_id, code, subject = key
    return Alert.objects.create(
        email_id=email_id,
        code=code,
        subject=subject,
        severity=finding.severity,
        worst=finding.severity,
        sentence=finding.signal,
        raised_at=now,
        news_at=now,
        mailed_at=_told_before(key, finding, now),
    )


def _told_before(key: Key, finding: Finding, now: datetime) -> datetime | None:
    """Return when the same was told lately: a rate that swings around a threshold is told once."""
    email_id, code, subject = key
    before = Alert.objects.filter(
        email=email_id,
        code=code,
        subject=subject,
        over_at__gte=now - WATCHED,
        mailed_at__isnull=False,
    ).first()
    is_worse = before and diagnostics.rank(finding.severity) > diagnostics.rank(_worst(before))
    return before.mailed_at if before and not is_worse else None


def _bring_up_to_date(alert: Alert, finding: Finding, now: datetime) -> None:
    """Let an open alert say what is true now; one that got worse than ever is told again."""
    if (alert.sentence, alert.severity) == (finding.signal, finding.severity):
        return
    # Not whenever it gets worse: a rate may swing around a threshold for days.
    if diagnostics.rank(finding.severity) > diagnostics.rank(_worst(alert)):
        alert.worst, alert.mailed_at, alert.news_at = finding.severity, None, now
    alert.sentence, alert.severity = finding.signal, finding.severity
    alert.save(update_fields=["sentence", "severity", "worst", "mailed_at", "news_at"])


def _worst(alert: Alert) -> str:
    return alert.worst or alert.severity
