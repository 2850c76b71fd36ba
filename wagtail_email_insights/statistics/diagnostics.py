"""What looks wrong, in words: one class per diagnostic, and asking all of them.

A diagnostic looks at a case (``cases``) and not into the database, so that a list of e-mails costs
the same number of queries as one. A host adds its own with ``@register``; it is then shown, muted
and alerted about like ours.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise

from ..conf import app_settings
from ..emails.models import Email
from .case_loading import cases_of, overall_case
from .cases import EmailCase, Overall
from .models import CODE_LENGTH, Alert, Severity

logger = logging.getLogger(__name__)

Text = str | Promise

CODE = re.compile(rf"[-a-zA-Z0-9_]{{1,{CODE_LENGTH}}}")
"""What a code must look like: it stands in addresses and is stored with each alert."""


@dataclass(frozen=True)
class Finding:
    """What one diagnostic has to say: what was measured, what that means, what to do.

    ``leads_to`` names the admin page that helps on, if there is one. ``is_alert`` tells whether
    somebody should be told who does not look. ``subject`` tells several findings of one diagnostic
    from each other, such as those about different senders: each is an alert of its own.
    """

    code: str
    label: Text
    severity: Severity
    signal: str
    sentence: Text
    advice: Sequence[Text]
    is_alert: bool = True
    leads_to: str = ""
    subject: str = ""


class Diagnostic:
    """What every diagnostic declares; subclass EmailDiagnostic or OverallDiagnostic.

    ``thresholds`` maps names, unique among all diagnostics, to defaults that the setting
    ``diagnostics`` overrides. ``is_thorough`` marks one whose case is too costly for a screen: it
    is asked in the background only, and the screens show the alert that came of it.
    """

    code: ClassVar[str]
    label: ClassVar[Text]
    sentence: ClassVar[Text]
    advice: ClassVar[Sequence[Text]]
    severity: ClassVar[Severity] = Severity.WARNING
    thresholds: ClassVar[Mapping[str, float]] = {}
    is_alert: ClassVar[bool] = True
    is_thorough: ClassVar[bool] = False
    leads_to: ClassVar[str] = ""

    def threshold(self, name: str) -> float:
        return app_settings.diagnostics.get(name, self.thresholds[name])

    def finding(
        self, signal: str, *, severity: Severity | None = None, subject: str = ""
    ) -> Finding:
        """Return what is found, *signal* saying with numbers what was measured.

        Raises ValueError for a *subject* that is too long to be stored.
        """
        if len(subject) > CODE_LENGTH:
            raise ValueError(f"The subject {subject!r} has over {CODE_LENGTH} characters")
        return Finding(
            code=self.code,
            label=self.label,
            severity=severity or self.severity,
            signal=str(signal),
            sentence=self.sentence,
            advice=self.advice,
            is_alert=self.is_alert,
            leads_to=self.leads_to,
            subject=subject,
        )


class EmailDiagnostic(Diagnostic):
    """Looks at everything that was sent of one e-mail."""

    needs_time: ClassVar[bool] = True
    """Rates of a mailing that has only just gone out say nothing: wait until they do."""

    needs_end: ClassVar[bool] = True
    """Wait from when the last copy went out; otherwise from when the first did."""

    def applies(self, case: EmailCase) -> bool:
        """Tell whether there is anything to judge; ``find`` is asked only then."""
        return bool(case.mailings)

    def find(self, case: EmailCase) -> Finding | None:
        raise NotImplementedError


class OverallDiagnostic(Diagnostic):
    """Looks at many mailings together."""

    def applies(self, overall: Overall) -> bool:
        """Tell whether there is anything to judge; ``find`` is asked only then."""
        return True

    def find(self, overall: Overall) -> Finding | Iterable[Finding] | None:
        """Return what is found: one finding about all, or one for each subject there is."""
        raise NotImplementedError


_registry: dict[str, Diagnostic] = {}

D = TypeVar("D", bound=type[Diagnostic])


def register(diagnostic: D) -> D:
    """Have *diagnostic* asked.

    Raises ImproperlyConfigured for a code or threshold in use, and for a code that is no slug of at
    most 40 characters.
    """
    if not CODE.fullmatch(diagnostic.code):
        raise ImproperlyConfigured(
            f"The code {diagnostic.code!r} of a diagnostic must have 1 to {CODE_LENGTH} letters, "
            "digits, hyphens and underscores"
        )
    others = [other for code, other in _registry.items() if code != diagnostic.code]
    taken = {name for other in others for name in other.thresholds}
    if clash := taken & set(diagnostic.thresholds):
        raise ImproperlyConfigured(f"Other diagnostics have thresholds named {sorted(clash)}")
    known = _registry.get(diagnostic.code)
    if known and type(known).__qualname__ != diagnostic.__qualname__:
        raise ImproperlyConfigured(f"There is a diagnostic {diagnostic.code!r} already")
    _registry[diagnostic.code] = diagnostic()
    return diagnostic


def get(code: str) -> Diagnostic | None:
    """Return the diagnostic with this code; None for one that is no longer registered."""
    return _registry.get(code)


def default_thresholds() -> dict[str, float]:
    """Return every threshold that the setting ``diagnostics`` may override, with its default."""
    return {name: value for known in _registry.values() for name, value in known.thresholds.items()}


def findings_for(email: Email, *, now: datetime | None = None) -> list[Finding]:
    """Return what is found about one e-mail, the worst first, less what is muted for it."""
    return findings_for_emails([email], now=now)[email.pk]


def findings_for_emails(
    emails: Iterable[Email], *, is_thorough: bool = False, now: datetime | None = None
) -> dict[int, list[Finding]]:
    """Return the findings about each e-mail by its id; as many queries for many as for one.

    Without *is_thorough*, what only the background can afford to look for is taken from the
    alerts it left.
    """
    cases = cases_of(emails, too_early=patience(), is_thorough=is_thorough, now=now)
    return {case.email.pk: ask_about_email(case) for case in cases}


def overall_findings(*, is_thorough: bool = False, now: datetime | None = None) -> list[Finding]:
    """Return what is found about all mailings together, the worst first."""
    overall = overall_case(is_thorough=is_thorough, now=now)
    alerts = list(Alert.objects.filter(email=None, over_at=None))
    background = [] if is_thorough else _from_background(alerts)
    return worst_first([*ask_about_all(overall, alerts), *background])


def patience() -> timedelta:
    """Return the age below which a mailing is not judged."""
    known = get("too_early")
    return timedelta(minutes=known.threshold("too_early_minutes") if known else 0)


def finding_of(alert: Alert) -> Finding | None:
    """Return what *alert* was raised for, as it stood then; None if nobody looks for it now."""
    known = get(alert.code)
    if known is None:
        return None
    return known.finding(alert.sentence, severity=Severity(alert.severity), subject=alert.subject)


def ask_about_email(case: EmailCase) -> list[Finding]:
    """Put a case before every diagnostic that is not muted for its e-mail."""
    asked = [
        known
        for known in _registry.values()
        if isinstance(known, EmailDiagnostic)
        and known.code not in case.muted
        and (case.is_thorough or not known.is_thorough)
        and _is_due(known, case)
    ]
    background = [] if case.is_thorough else _from_background(case.alerts)
    found = [finding for known in asked for finding in _ask(known, case, case.alerts)]
    return worst_first(
        [*found, *(finding for finding in background if finding.code not in case.muted)]
    )


def _is_due(known: EmailDiagnostic, case: EmailCase) -> bool:
    """Tell whether readers have had the time that *known* gives them."""
    if not known.needs_time:
        return True
    return not (case.is_too_early if known.needs_end else case.has_just_begun)


def ask_about_all(overall: Overall, alerts: Iterable[Alert] = ()) -> list[Finding]:
    """Put what is known of many mailings before every diagnostic that looks at them.

    *alerts* are those that are open about many mailings: where a diagnostic fails, its own stands.
    """
    asked = [
        known
        for known in _registry.values()
        if isinstance(known, OverallDiagnostic) and (overall.is_thorough or not known.is_thorough)
    ]
    return worst_first(finding for known in asked for finding in _ask(known, overall, alerts))


def _ask(known: Any, about: EmailCase | Overall, alerts: Iterable[Alert]) -> list[Finding]:
    """Return what *known* finds; one that fails is logged, and what it found last stands.

    Neither a screen nor the other diagnostics suffer from one, a host's own among them.
    """
    try:
        return _each(known.find(about)) if known.applies(about) else []
    except Exception:
        logger.exception("The diagnostic %r failed", known.code)
        return _findings_of(alert for alert in alerts if alert.code == known.code)


def _each(found: Finding | Iterable[Finding] | None) -> list[Finding]:
    if found is None or isinstance(found, Finding):
        return [found] if found else []
    return list(found)


def _from_background(alerts: Iterable[Alert]) -> list[Finding]:
    return _findings_of(
        alert for alert in alerts if (known := get(alert.code)) and known.is_thorough
    )


def _findings_of(alerts: Iterable[Alert]) -> list[Finding]:
    return [finding for alert in alerts if (finding := finding_of(alert))]


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: -rank(finding.severity))


def rank(severity: str) -> int:
    """Return a number that is higher for what is worse."""
    return Severity.values.index(severity)
