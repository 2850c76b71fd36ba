"""Whether the figures of an e-mail can be trusted, and whether it reached people once."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ...mailings.models import OPEN_STATES
from ..cases import EmailCase
from ..diagnostics import EmailDiagnostic, Finding, register
from ..gathering import ended
from ..models import Severity
from ..wording import number, percent


@register
class MissingActivities(EmailDiagnostic):
    code = "missing_activities"
    label = gettext_lazy("Clicks without names")
    sentence = gettext_lazy(
        "The statistics are right, but contact activities and segments see next to nothing of "
        "it: hardly any reader may be known."
    )
    advice = (
        gettext_lazy("Walk through the tracking check: it tests each switch and says what is off."),
        gettext_lazy("See that your subscribe forms ask for the consent to tracking."),
        gettext_lazy("Ask readers who subscribed before you asked for it."),
    )
    thresholds = {"missing_activities_share": 0.05, "missing_activities_clicks": 20}
    leads_to = "email_tracking_check:index"

    def applies(self, case: EmailCase) -> bool:
        return case.clicks > 0 and case.clicks >= self.threshold("missing_activities_clicks")

    def find(self, case: EmailCase) -> Finding | None:
        share = case.clicks_identified / case.clicks
        if share >= self.threshold("missing_activities_share"):
            return None
        return self.finding(
            _("Of %(clicks)s clicks, %(known)s (%(share)s) are by people who may be known.")
            % {
                "clicks": number(case.clicks),
                "known": number(case.clicks_identified),
                "share": percent(share),
            }
        )


@register
class DuplicateSends(EmailDiagnostic):
    code = "duplicate_sends"
    label = gettext_lazy("Sent twice")
    sentence = gettext_lazy("Some people have this same e-mail more than once.")
    advice = (
        gettext_lazy("Look for a form that people submit twice, or an import that adds doubles."),
        gettext_lazy("Copies that were uncertain and sent again by hand can be the reason too."),
    )
    needs_time = False
    is_thorough = True
    thresholds = {"duplicate_sends_people": 1}

    def find(self, case: EmailCase) -> Finding | None:
        people = case.had_it_twice or 0
        if people < self.threshold("duplicate_sends_people"):
            return None
        return self.finding(
            ngettext(
                "%(number)s contact was sent it more than once.",
                "%(number)s contacts were sent it more than once.",
                people,
            )
            % {"number": number(people)}
        )


@register
class TooEarly(EmailDiagnostic):
    code = "too_early"
    label = gettext_lazy("Too early to judge")
    sentence = gettext_lazy(
        "Most readers have not seen it yet, and what comes first comes mostly from machines."
    )
    advice = (gettext_lazy("Wait. Clicks keep coming in for a day or two."),)
    severity = Severity.NOTICE
    needs_time = False
    is_alert = False
    thresholds = {"too_early_minutes": 30}

    def applies(self, case: EmailCase) -> bool:
        return bool(case.young) or not case.mailings

    def find(self, case: EmailCase) -> Finding | None:
        if not case.mailings:
            return self.finding(_("It has gone to nobody yet; tests are never counted."))
        if any(mailing.state in OPEN_STATES for mailing in case.young):
            return self.finding(_("Not all of its copies have gone out yet."))
        minutes = int((case.now - max(map(ended, case.young))).total_seconds() // 60)
        if minutes < 1:
            return self.finding(_("It was sent less than a minute ago."))
        return self.finding(
            ngettext(
                "It was sent %(number)s minute ago.", "It was sent %(number)s minutes ago.", minutes
            )
            % {"number": number(minutes)}
        )


@register
class OpensUnreliable(EmailDiagnostic):
    code = "opens_unreliable"
    label = gettext_lazy("Opens say little here")
    sentence = gettext_lazy(
        "Many of these opens were made by programs that load every image for everybody, not by "
        "people who read."
    )
    advice = (
        gettext_lazy("Judge this e-mail by its clicks."),
        gettext_lazy("Do not build segments or decisions on its opens."),
    )
    severity = Severity.NOTICE
    is_alert = False
    thresholds = {
        "opens_unreliable_proxies": 0.5,
        "opens_unreliable_at_once": 0.8,
        "opens_unreliable_clicked": 0.01,
        "opens_unreliable_copies": 50,
    }

    def applies(self, case: EmailCase) -> bool:
        return case.opened > 0 and case.opened >= self.threshold("opens_unreliable_copies")

    def find(self, case: EmailCase) -> Finding | None:
        signals = (self._by_proxies(case), self._at_once(case), self._without_clicks(case))
        told = [signal for signal in signals if signal]
        return self.finding(" ".join(told)) if told else None

    def _by_proxies(self, case: EmailCase) -> str:
        share = case.opens_by_proxies / case.opens if case.opens else 0
        if share < self.threshold("opens_unreliable_proxies"):
            return ""
        return _("%(share)s of the opens came from image proxies.") % {"share": percent(share)}

    def _at_once(self, case: EmailCase) -> str:
        share = case.opened_at_once / case.opened
        if not case.has_lasted_a_day or share < self.threshold("opens_unreliable_at_once"):
            return ""
        return _("%(share)s of the copies were opened in the very hour of sending.") % {
            "share": percent(share)
        }

    def _without_clicks(self, case: EmailCase) -> str:
        share = case.rate("click_to_open")
        if not case.has_links or share is None:
            return ""
        if share >= self.threshold("opens_unreliable_clicked"):
            return ""
        return _("Of the copies that were opened, %(share)s were clicked.") % {
            "share": percent(share)
        }
