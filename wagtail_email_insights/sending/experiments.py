"""A/B tests: what the variants are, who gets which one, and how each of them did.

Choosing the winner is in ``winners``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from ..emails import merge_tags
from ..emails.models import Email
from ..emails.validation import problems_with
from ..mailings.models import (
    DUE_STATES,
    Delivery,
    DeliveryState,
    Mailing,
    MailingVariant,
    TestMetric,
)
from ..tracking.models import Event, EventKind, Verdict

HELD_BACK = 0
"""Variant number of the copies that wait for the winner."""

EVERYBODY = 100
"""A test's share, in percent, that leaves nobody waiting."""

# The golden ratio's part of a prime: multiples of it, taken modulo the prime, spread evenly, and
# no intermediate result is too large for a 64-bit number.
_STRIDE, _PRIME = 1327217885, 2147483647


@dataclass(frozen=True)
class VariantResult:
    """How one variant did in the test: distinct copies, events of machines left out.

    Once a winner is chosen, what its later copies bring in is no longer part of the comparison.
    """

    number: int
    name: str
    subject: str
    sent: int = 0
    opened: int = 0
    clicked: int = 0

    def reached(self, metric: str) -> int:
        """Return how many copies did what *metric* asks for; a manual choice looks at clicks."""
        return self.opened if metric == TestMetric.OPENS else self.clicked

    def rate(self, metric: str) -> float:
        """Return the share of the sent copies that did it; 0 as long as none is sent."""
        return self.reached(metric) / self.sent if self.sent else 0.0


@transaction.atomic
def set_variants(mailing: Mailing, variants: Iterable[tuple[str, Email | None]]) -> None:
    """Give a draft exactly these variants, each a subject and an e-mail whose content it has.

    An empty subject or None stands for the mailing's own e-mail; no variants, no test.
    """
    mailing.variants.all().delete()
    MailingVariant.objects.bulk_create(
        MailingVariant(mailing=mailing, number=number, subject=subject, email=email)
        for number, (subject, email) in enumerate(variants, start=1)
    )


def problems_with_variants(mailing: Mailing) -> list[str]:
    """Return what keeps a variant from being sent, in sentences; the e-mail itself left out."""
    return [
        _("Variant %(name)s: %(problem)s") % {"name": variant, "problem": problem}
        for variant in mailing.variants.select_related("email")
        for problem in _problems_of(variant)
    ]


def assign_variants(mailing: Mailing) -> None:
    """Deal the due copies out: the test's share evenly to the variants, the rest held back.

    By the copies' numbers, which know nothing of the contacts; set-based. The parts are exactly
    as large as ``part_sizes`` says.
    """
    numbers = list(mailing.variants.values_list("number", flat=True))
    if not numbers:
        return
    due = mailing.deliveries.filter(state__in=DUE_STATES)
    tested = _test_size(due.count(), mailing.test_share, len(numbers))
    shuffled: Any = _shuffled(due)
    dealt = shuffled.filter(rank__lte=tested)
    for turn, number in enumerate(numbers):
        part = dealt.annotate(turn=(F("rank") - 1) % len(numbers)).filter(turn=turn)
        Delivery.objects.filter(pk__in=part.values("pk")).update(variant=number)


def part_sizes(due: int, share: int | None, variants: int) -> list[int]:
    """Return how many of *due* copies each variant gets in the test; the others wait."""
    each, rest = divmod(_test_size(due, share, variants), variants)
    return [each + (index < rest) for index in range(variants)]


def is_waiting_for_winner(mailing: Mailing) -> bool:
    """Tell whether some copies are held back until a variant has won."""
    return mailing.winner is None and mailing.variants.exists()


def held_back(mailing: Mailing) -> int:
    """Count the copies that wait for the winner."""
    if mailing.winner is not None:
        return 0
    return mailing.deliveries.filter(variant=HELD_BACK, state__in=DUE_STATES).count()


def decides_at(mailing: Mailing) -> datetime | None:
    """Return when the winner is chosen by itself; None if an editor does it or nobody waits."""
    share = mailing.test_share
    by_hand = mailing.test_metric == TestMetric.MANUAL
    if mailing.started_at is None or by_hand or share is None or share >= EVERYBODY:
        return None
    return mailing.started_at + timedelta(hours=mailing.test_hours)


def results_of(mailings: Iterable[Mailing]) -> dict[int, list[VariantResult]]:
    """Return the results of every test among *mailings*, by the mailing's id; three queries."""
    ids = [mailing.pk for mailing in mailings]
    variants: dict[int, list[MailingVariant]] = {}
    for variant in MailingVariant.objects.filter(mailing__in=ids).select_related(
        "email", "mailing__email"
    ):
        variants.setdefault(variant.mailing_id, []).append(variant)
    tests = {pk: found for pk, found in variants.items() if len(found) > 1}
    return _with_counts(tests) if tests else {}


def best_of(results: Sequence[VariantResult], metric: str) -> list[VariantResult]:
    """Return the variants with the highest rate: several when they are level or nothing is known.

    The first of them is what an automatic choice takes.
    """
    highest = max(result.rate(metric) for result in results)
    return [result for result in results if result.rate(metric) == highest]


def subject_of(variant: MailingVariant) -> str:
    """Return the subject that copies of *variant* carry."""
    return variant.subject or (variant.email or variant.mailing.email).subject


def sizes(mailing: Mailing) -> dict[int, int]:
    """Return how many copies each variant has, those held back under 0; skipped ones left out."""
    rows = (
        mailing.deliveries.exclude(state=DeliveryState.SKIPPED)
        .order_by()
        .values_list("variant")
        .annotate(n=Count("pk"))
    )
    return dict(rows)


def _test_size(due: int, share: int | None, variants: int) -> int:
    if not share or share >= EVERYBODY:
        return due
    # A test in which a variant has no copy at all would be none.
    return min(due, max(variants, round(due * share / EVERYBODY)))


def _shuffled(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Annotate each with its ``rank`` in an order that has nothing to do with its number."""
    order = (F("pk") % _PRIME) * _STRIDE % _PRIME
    return deliveries.annotate(rank=Window(RowNumber(), order_by=[order, F("pk")]))


def _problems_of(variant: MailingVariant) -> Iterator[str]:
    yield from merge_tags.problems(variant.subject)
    if variant.email is None:
        return
    content = variant.email.get_latest_revision_as_object()
    content.subject = variant.subject or content.subject
    yield from problems_with(content)
    if variant.email.workflow_in_progress:
        yield _("This e-mail is waiting for approval.")


def _with_counts(tests: dict[int, list[MailingVariant]]) -> dict[int, list[VariantResult]]:
    sent, reached = _count_sent(tests), _count_reached(tests)
    return {
        pk: [
            VariantResult(
                number=variant.number,
                name=str(variant),
                subject=subject_of(variant),
                sent=sent.get((pk, variant.number), 0),
                **reached.get((pk, variant.number), {}),
            )
            for variant in variants
        ]
        for pk, variants in tests.items()
    }


def _before_the_choice(moment: str) -> Q:
    return Q(mailing__winner_at=None) | Q(**{f"{moment}__lte": F("mailing__winner_at")})


def _count_sent(mailing_ids: Iterable[int]) -> dict[tuple[int, int], int]:
    rows = (
        Delivery.objects.filter(
            _before_the_choice("settled_at"),
            mailing__in=list(mailing_ids),
            state=DeliveryState.SENT,
        )
        .order_by()
        .values_list("mailing", "variant")
        .annotate(n=Count("pk"))
    )
    return {(mailing, variant): n for mailing, variant, n in rows}


def _count_reached(mailing_ids: Iterable[int]) -> dict[tuple[int, int], dict[str, int]]:
    clicks = Q(kind=EventKind.CLICK)
    rows = (
        Event.objects.filter(
            _before_the_choice("at"),
            mailing__in=list(mailing_ids),
            kind__in=[EventKind.OPEN, EventKind.CLICK],
        )
        .exclude(verdict=Verdict.MACHINE)
        .order_by()
        .values_list("mailing", "variant")
        .annotate(
            # A click implies an open, as everywhere.
            opened=Count("copy", distinct=True),
            clicked=Count("copy", filter=clicks, distinct=True),
        )
    )
    return {
        (mailing, variant): {"opened": opened, "clicked": clicked}
        for mailing, variant, opened, clicked in rows
    }
