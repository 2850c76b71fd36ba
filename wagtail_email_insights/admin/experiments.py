"""What screens show of an A/B test: the plan, the figures so far, and how sure they make us."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..emails.models import Email
from ..mailings.models import Mailing, MailingState, TestMetric
from ..sending import experiments
from ..sending.experiments import VariantResult
from ..statistics.experiments import Certainty, certainty
from ..templatetags.email_insights_admin import number, percent
from .addresses import mailing_url

MOST_CERTAIN = 0.999
"""However sure the figures make us, it is never put higher: chance is never ruled out."""


@dataclass(frozen=True)
class PlannedVariant:
    """One variant before sending; *content* is None where it is that of the e-mail itself."""

    name: str
    subject: str
    content: Email | None
    copies: int


@dataclass(frozen=True)
class VariantRow:
    """One variant in a table; ``choose_url`` is empty where there is nothing to choose."""

    result: VariantResult
    is_winner: bool
    choose_url: str

    @property
    def open_rate(self) -> float | None:
        return self.result.rate(TestMetric.OPENS) if self.result.sent else None

    @property
    def click_rate(self) -> float | None:
        return self.result.rate(TestMetric.CLICKS) if self.result.sent else None


@dataclass(frozen=True)
class TestView:
    """An A/B test as an editor sees it."""

    mailing: Mailing
    rows: list[VariantRow]
    held_back: int
    decides_at: datetime | None
    certainty: str
    decision: str


def review_context(mailing: Mailing, due: int) -> dict[str, Any]:
    """Return the plan of a mailing's test, with the number of copies each variant will get."""
    variants = list(mailing.variants.select_related("email", "mailing__email"))
    if len(variants) < 2:
        subject = experiments.subject_of(variants[0]) if variants else mailing.email.subject
        return {"subject": subject, "planned": []}
    sizes = experiments.part_sizes(due, mailing.test_share, len(variants))
    return {
        "subject": "",
        "planned": [
            PlannedVariant(str(variant), experiments.subject_of(variant), variant.email, copies)
            for variant, copies in zip(variants, sizes, strict=True)
        ],
        "planned_to_wait": due - sum(sizes),
    }


def tests_of(mailings: Iterable[Mailing]) -> list[TestView]:
    """Return the tests among *mailings*; three queries, and one for each that holds copies back."""
    mailings = list(mailings)
    results = experiments.results_of(mailings)
    return [_view(mailing, results[mailing.pk]) for mailing in mailings if mailing.pk in results]


def _view(mailing: Mailing, results: list[VariantResult]) -> TestView:
    under_way = mailing.state in (MailingState.SENDING, MailingState.PAUSED)
    waiting = experiments.held_back(mailing) if under_way else 0
    return TestView(
        mailing=mailing,
        rows=[_row(mailing, result, may_choose=bool(waiting)) for result in results],
        held_back=waiting,
        decides_at=experiments.decides_at(mailing) if waiting else None,
        certainty=certainty_in_words(certainty(results, mailing.test_metric), mailing.test_metric),
        decision=_decision(mailing, results),
    )


def _row(mailing: Mailing, result: VariantResult, *, may_choose: bool) -> VariantRow:
    url = mailing_url("mailing_act", mailing, f"choose-{result.number}") if may_choose else ""
    return VariantRow(result, result.number == mailing.winner, url)


def certainty_in_words(found: Certainty, metric: str) -> str:
    """Say how sure the figures make us; never that a variant is better, full stop."""
    if not found.leader.sent:
        return _("Nothing has been sent yet: there is nothing to compare.")
    words = {
        "name": found.leader.name,
        "probability": percent(min(found.probability, MOST_CERTAIN)),
        "deed": _("opened") if metric == TestMetric.OPENS else _("clicked"),
    }
    if found.is_enough:
        sentence = _(
            "With a probability of %(probability)s, variant %(name)s is the one that is %(deed)s "
            "most often."
        )
        return sentence % words
    sentence = _(
        "Not enough to tell: the probability that variant %(name)s is the one that is %(deed)s "
        "most often is %(probability)s, and less than 95 %% may well be chance."
    )
    return f"{sentence % words} {_what_it_would_take(found.more_copies)}"


def _what_it_would_take(copies: int | None) -> str:
    if copies is None:
        return _("The variants are level so far.")
    sentence = ngettext(
        "If the difference stays as it is, it would take roughly %(copies)s more copy to be sure.",
        "If the difference stays as it is, it would take roughly %(copies)s more copies to be "
        "sure.",
        copies,
    )
    return sentence % {"copies": number(copies)}


def _decision(mailing: Mailing, results: list[VariantResult]) -> str:
    """Say how the winner came about; empty as long as there is none."""
    if mailing.winner is None or mailing.winner_at is None:
        return ""
    name = next(result.name for result in results if result.number == mailing.winner)
    end = experiments.decides_at(mailing)
    if end is None or mailing.winner_at < end:
        return _("Variant %s was chosen by hand for all other readers.") % name
    if len(experiments.best_of(results, mailing.test_metric)) > 1:
        return _("No variant was ahead alone, so all other readers got the first: %s.") % name
    return _("Variant %s had the highest rate when the time was up: all others got it.") % name
