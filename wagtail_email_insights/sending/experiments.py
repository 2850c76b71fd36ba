"""A/B tests: who gets which variant, and which one the rest get."""

from __future__ import annotations

from django.db.models import Count, F
from django.db.models.functions import Mod
from django.utils import timezone

from ..mailings.models import DUE_STATES, Mailing

HELD_BACK = 0
"""Variant number of the copies that wait for the winner."""


def assign_variants(mailing: Mailing) -> None:
    """Deal the due copies out: the test's share evenly to the variants, the rest held back.

    By the copy's number, which knows nothing of the contact; set-based.
    """
    numbers = list(mailing.variants.values_list("number", flat=True))
    if not numbers:
        return
    due = mailing.deliveries.filter(state__in=DUE_STATES)
    if mailing.test_share:
        # 97 is prime: neighbours in an import do not all land in the same part.
        due = due.annotate(part=Mod(F("pk") * 97, 100)).filter(part__lt=mailing.test_share)
    for index, number in enumerate(numbers):
        due.annotate(turn=Mod(F("pk"), len(numbers))).filter(turn=index).update(variant=number)


def is_waiting_for_winner(mailing: Mailing) -> bool:
    """Tell whether some copies are held back until a variant has won."""
    return mailing.winner is None and mailing.variants.exists()


def declare_winner(mailing: Mailing, number: int) -> None:
    """Give everybody still held back variant *number*; raises ValueError for one not there."""
    if not mailing.variants.filter(number=number).exists():
        raise ValueError(f"mailing {mailing.pk} has no variant {number}")
    updated = Mailing.objects.filter(pk=mailing.pk, winner=None).update(
        winner=number, winner_at=timezone.now()
    )
    if updated:
        mailing.deliveries.filter(variant=HELD_BACK, state__in=DUE_STATES).update(variant=number)
    mailing.refresh_from_db()


def sizes(mailing: Mailing) -> dict[int, int]:
    """Return how many copies each variant has, those held back under 0."""
    rows = mailing.deliveries.order_by().values_list("variant").annotate(n=Count("pk"))
    return dict(rows)
