"""What shows only over several mailings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import methodcaller
from statistics import median

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ...conf import app_settings
from ..cases import Overall, Sent, Series, known
from ..diagnostics import Finding, OverallDiagnostic, register
from ..models import Severity
from ..wording import number, percent

Rate = Callable[[Sent], float | None]

ENOUGH_BEFORE = 3
"""Earlier mailings that it takes to say what is usual."""

ARRIVALS = {
    "delivered": gettext_lazy(
        "%(sender)s: in the last %(mailings)s e-mails, %(arrived)s of the copies were delivered "
        "and %(rate)s clicked at best; %(before)s and %(usual)s were usual."
    ),
    "opened": gettext_lazy(
        "%(sender)s: in the last %(mailings)s e-mails, %(arrived)s of the copies were opened "
        "and %(rate)s clicked at best; %(before)s and %(usual)s were usual."
    ),
}
"""What tells of arriving, and how: mail in the spam folder was delivered, but nobody opens it."""


class SeriesDiagnostic(OverallDiagnostic):
    """Looks at the mailings of each sender by themselves."""

    def find(self, overall: Overall) -> list[Finding]:
        return [found for series in overall.series if (found := self.look_at(series))]

    def look_at(self, series: Series) -> Finding | None:
        """Return what is found about one sender."""
        raise NotImplementedError


@register
class LowEngagement(SeriesDiagnostic):
    code = "low_engagement"
    label = gettext_lazy("Interest is fading")
    sentence = gettext_lazy("One weak e-mail is chance; several in a row are tired readers.")
    advice = (
        gettext_lazy("Write to those who have not clicked for long, and ask whether to go on."),
        gettext_lazy("Send by interest (segments) instead of everything to everybody."),
        gettext_lazy("Retire contacts who have shown no sign of life for a year."),
    )
    thresholds = {"low_engagement_mailings": 3, "low_engagement_of_median": 0.5}

    def look_at(self, series: Series) -> Finding | None:
        number_of_newest = int(self.threshold("low_engagement_mailings"))
        clicked = _rate("clicked")
        newest, before = series.knowing(clicked).split(number_of_newest)
        usual = _usual(before, clicked)
        if not newest or not usual:
            return None
        highest = _best(newest, clicked)
        if highest >= usual * self.threshold("low_engagement_of_median"):
            return None
        return self.finding(
            _(
                "%(sender)s: none of the last %(mailings)s e-mails was clicked by more than "
                "%(rate)s; %(usual)s were usual before."
            )
            % {
                "sender": series.name,
                "mailings": number(len(newest)),
                "rate": percent(highest),
                "usual": percent(usual),
            },
            subject=series.subject,
        )


@register
class DeliverabilityDrop(SeriesDiagnostic):
    code = "deliverability_drop"
    label = gettext_lazy("Less of your mail arrives")
    sentence = gettext_lazy(
        "Fewer copies arrive or are seen, and clicks fall with them, though as many were sent as "
        "before: mail services may be hiding them in the spam folder."
    )
    advice = (
        gettext_lazy("Hold back mailings to everybody until this is understood."),
        gettext_lazy("Begin again with the readers who clicked lately."),
        gettext_lazy("Check SPF, DKIM and DMARC of the sender's domain."),
        gettext_lazy("Look your domain up in the postmaster tools of the large mail services."),
    )
    severity = Severity.CRITICAL
    thresholds = {
        "deliverability_drop_mailings": 2,
        "deliverability_drop_below": 0.2,
        "deliverability_drop_volume": 2,
    }

    def look_at(self, series: Series) -> Finding | None:
        number_of_newest = int(self.threshold("deliverability_drop_mailings"))
        newest, before = series.knowing(Sent.clicked_of_sent).split(number_of_newest)
        enough = newest and len(before) >= ENOUGH_BEFORE
        if not enough or not self._is_of_like_volume(newest, before):
            return None
        fell = [code for code in ARRIVALS if self._fell(newest, before, _rate(code))]
        # Of the copies sent: of the few that arrive, as many may click as ever.
        if not fell or not self._fell(newest, before, Sent.clicked_of_sent):
            return None
        return self._told(series, newest, before, fell[0])

    def _told(
        self, series: Series, newest: Sequence[Sent], before: Sequence[Sent], arrival: str
    ) -> Finding:
        return self.finding(
            ARRIVALS[arrival]
            % {
                "sender": series.name,
                "mailings": number(len(newest)),
                "arrived": percent(_best(newest, _rate(arrival))),
                "before": percent(_usual(before, _rate(arrival))),
                "rate": percent(_best(newest, Sent.clicked_of_sent)),
                "usual": percent(_usual(before, Sent.clicked_of_sent)),
            },
            subject=series.subject,
        )

    def _fell(self, newest: Sequence[Sent], before: Sequence[Sent], rate: Rate) -> bool:
        """Tell whether all of the newest are below; where one is not known, nobody can."""
        usual = _usual(before, rate)
        ceiling = (usual or 0) * (1 - self.threshold("deliverability_drop_below"))
        rates = known(map(rate, newest))
        return bool(usual) and len(rates) == len(newest) and max(rates) <= ceiling

    def _is_of_like_volume(self, newest: Sequence[Sent], before: Sequence[Sent]) -> bool:
        usual = median(sent.volume for sent in before)
        # Less than once as many is never the case, and by nothing nobody divides.
        most = max(1.0, self.threshold("deliverability_drop_volume"))
        return all(usual / most <= sent.volume <= usual * most for sent in newest)


@register
class DormantReturn(OverallDiagnostic):
    code = "dormant_return"
    label = gettext_lazy("Sleepers wake up")
    sentence = gettext_lazy("Contacts who had been silent for long have begun to click again.")
    advice = (
        gettext_lazy("See which e-mail woke them, and what it had that others lack."),
        gettext_lazy("Make a segment of them and write to them while they listen."),
        gettext_lazy("Build a way back for others from it."),
    )
    severity = Severity.NOTICE
    is_thorough = True
    thresholds = {
        "dormant_return_contacts": 5,
        "dormant_return_silent_days": 180,
        "dormant_return_silent_mails": 3,
        "dormant_return_days": 14,
    }

    def applies(self, overall: Overall) -> bool:
        """Tell whether clicks of that long ago are still there: deleted ones look like silence."""
        kept = app_settings.retention_days
        days = self.threshold("dormant_return_days") + self.threshold("dormant_return_silent_days")
        return kept is None or kept >= days

    def find(self, overall: Overall) -> Finding | None:
        days = int(self.threshold("dormant_return_days"))
        silent = int(self.threshold("dormant_return_silent_days"))
        mails = max(1, int(self.threshold("dormant_return_silent_mails")))
        contacts = overall.returned(days, silent_days=silent, mails=mails)
        if contacts < self.threshold("dormant_return_contacts"):
            return None
        return self.finding(
            ngettext(
                "%(number)s contact clicked in the last %(days)s days, after at least "
                "%(silent)s days without a click.",
                "%(number)s contacts clicked in the last %(days)s days, after at least "
                "%(silent)s days without a click.",
                contacts,
            )
            % {"number": number(contacts), "days": days, "silent": silent}
        )


def _rate(code: str) -> Rate:
    return methodcaller("rate", code)


def _usual(before: Sequence[Sent], rate: Rate) -> float | None:
    """Return the median rate of earlier mailings; None where it is known of too few."""
    rates = known(map(rate, before))
    return median(rates) if len(rates) >= ENOUGH_BEFORE else None


def _best(newest: Sequence[Sent], rate: Rate) -> float:
    """Return the highest rate of mailings of which at least one is known."""
    return max(known(map(rate, newest)))
