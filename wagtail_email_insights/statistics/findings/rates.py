"""How an e-mail was received: clicks, departures, bounces and spam reports."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..cases import EmailCase
from ..diagnostics import EmailDiagnostic, Finding, register
from ..figures import Figure
from ..models import Severity
from ..wording import number, percent


@register
class LowClickRate(EmailDiagnostic):
    code = "low_click_rate"
    label = gettext_lazy("Few clicks")
    sentence = gettext_lazy(
        "The e-mail arrived, but far fewer readers than usual found something to follow."
    )
    advice = (
        gettext_lazy("Ask for one thing, in one clear button near the top."),
        gettext_lazy("Leave out links that only distract from it."),
        gettext_lazy("Check that the e-mail keeps what its subject promises."),
    )
    thresholds = {
        "low_click_rate_of_median": 0.5,
        "low_click_rate_delivered": 100,
        "low_click_rate_arrived": 0.9,
    }

    def applies(self, case: EmailCase) -> bool:
        arrived = case.response["delivered"].rate
        return (
            case.has_links
            and case.response["clicked"].denominator >= self.threshold("low_click_rate_delivered")
            and arrived is not None
            and arrived >= self.threshold("low_click_rate_arrived")
        )

    def find(self, case: EmailCase) -> Finding | None:
        rate, usual = case.rate("clicked"), case.usual("clicked")
        if rate is None or not usual:
            return None
        if rate >= usual * self.threshold("low_click_rate_of_median"):
            return None
        return self.finding(
            _("%(rate)s of the copies were clicked; with this sender %(usual)s are usual.")
            % {"rate": percent(rate), "usual": percent(usual)}
        )


@register
class UnsubscribeSpike(EmailDiagnostic):
    code = "unsubscribe_spike"
    label = gettext_lazy("Many unsubscribe")
    sentence = gettext_lazy("More readers than usual took this e-mail as a reason to leave.")
    advice = (
        gettext_lazy("Compare the e-mail with what people were promised when they subscribed."),
        gettext_lazy("Offer to get less, or only some topics, instead of leaving."),
        gettext_lazy("Split the list by interest, and send each part what it came for."),
        gettext_lazy("Read the reasons that people gave for leaving."),
    )
    thresholds = {
        "unsubscribe_spike_rate": 0.005,
        "unsubscribe_spike_of_median": 2,
        "unsubscribe_spike_delivered": 100,
        "unsubscribe_spike_people": 3,
    }
    # Who leaves has seen it, whoever is still to get it: a send that drives people away goes on.
    needs_end = False

    def applies(self, case: EmailCase) -> bool:
        return case.delivered >= self.threshold("unsubscribe_spike_delivered") and case.figures[
            "unsubscribed"
        ].value >= self.threshold("unsubscribe_spike_people")

    def find(self, case: EmailCase) -> Finding | None:
        figure, usual = case.figures["unsubscribed"], case.usual("unsubscribed")
        rate = figure.rate or 0
        if rate > self.threshold("unsubscribe_spike_rate"):
            return self.finding(_share_of(figure, _("%(value)s of %(all)s left (%(rate)s).")))
        if usual and rate > usual * self.threshold("unsubscribe_spike_of_median"):
            return self.finding(
                _("%(rate)s left; with this sender %(usual)s are usual.")
                % {"rate": percent(rate), "usual": percent(usual)}
            )
        return None


@register
class Bounces(EmailDiagnostic):
    code = "bounces"
    label = gettext_lazy("Many addresses do not exist")
    sentence = gettext_lazy(
        "Mail services take many unknown addresses as the mark of a bought or neglected list, and "
        "begin to refuse or hide mail from such senders."
    )
    advice = (
        gettext_lazy("Find out where these addresses came from, and stop that source."),
        gettext_lazy("Let new subscribers confirm their address (double opt-in)."),
        gettext_lazy(
            "Send old lists in small parts first. Addresses that bounced are suppressed already."
        ),
    )
    needs_time = False
    thresholds = {
        "bounces_warning": 0.02,
        "bounces_critical": 0.08,
        "bounces_sent": 20,
        "bounces_copies": 2,
    }

    def applies(self, case: EmailCase) -> bool:
        counts = case.figures.counts
        return (
            "bounced" in case.figures.by_code
            and counts.sent > 0
            and counts.sent >= self.threshold("bounces_sent")
            and counts.hard_bounced >= self.threshold("bounces_copies")
        )

    def find(self, case: EmailCase) -> Finding | None:
        counts = case.figures.counts
        rate = counts.hard_bounced / counts.sent
        if rate < self.threshold("bounces_warning"):
            return None
        is_critical = rate >= self.threshold("bounces_critical")
        return self.finding(
            _("%(value)s of %(all)s copies came back for good (%(rate)s).")
            % {
                "value": number(counts.hard_bounced),
                "all": number(counts.sent),
                "rate": percent(rate),
            },
            severity=Severity.CRITICAL if is_critical else Severity.WARNING,
        )


@register
class SpamReports(EmailDiagnostic):
    code = "spam_reports"
    label = gettext_lazy("Reported as spam")
    sentence = gettext_lazy(
        "Nothing harms a sender more: from three in a thousand on, large mail services refuse or "
        "hide whatever comes next."
    )
    advice = (
        gettext_lazy("Make the unsubscribe link easy to find; leaving must be easier than that."),
        gettext_lazy("Write subjects that say what is inside, and a sender people recognise."),
        gettext_lazy("Send less often, and only to people who asked for it."),
    )
    needs_time = False
    thresholds = {
        "spam_reports_warning": 0.001,
        "spam_reports_critical": 0.003,
        "spam_reports_delivered": 100,
        "spam_reports_copies": 2,
    }

    def applies(self, case: EmailCase) -> bool:
        return "complained" in case.figures.by_code and case.delivered >= self.threshold(
            "spam_reports_delivered"
        )

    def find(self, case: EmailCase) -> Finding | None:
        figure = case.figures["complained"]
        rate = figure.rate or 0
        if not rate or rate < self.threshold("spam_reports_warning"):
            return None
        return self.finding(
            _share_of(figure, _("%(value)s of %(all)s copies were reported as spam (%(rate)s).")),
            severity=Severity.CRITICAL if self._is_critical(figure) else Severity.WARNING,
        )

    def _is_critical(self, figure: Figure) -> bool:
        # A single report may be a slip of the finger, however small the mailing.
        enough = figure.value >= self.threshold("spam_reports_copies")
        return enough and (figure.rate or 0) >= self.threshold("spam_reports_critical")


def _share_of(figure: Figure, sentence: str) -> str:
    return sentence % {
        "value": number(figure.value),
        "all": number(figure.denominator or 0),
        "rate": percent(figure.rate or 0),
    }
