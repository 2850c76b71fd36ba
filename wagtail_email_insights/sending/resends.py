"""Sending a mailing once more to those of whom we know that they did not click.

Who they are is decided in ``tracking.resends`` whenever an audience is put together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from ..mailings.models import (
    OPEN_STATES,
    DeliveryState,
    Mailing,
    MailingState,
    MailingVariant,
    TestMetric,
)
from ..tracking import retention
from ..tracking.models import Event, EventKind, Verdict
from .experiments import set_variants, subject_of
from .transitions import NotPossible


@dataclass(frozen=True)
class ResendNumbers:
    """The readers of a mailing; ``unknown + clicked + silent == sent``."""

    sent: int
    unknown: int
    clicked: int
    silent: int


def numbers(original: Mailing) -> ResendNumbers:
    """Count who has the mailing, who of them may not be known, and who clicked or did not."""
    sent = original.deliveries.filter(state=DeliveryState.SENT)
    known = sent.filter(identified=True, contact__isnull=False)
    clicks = Event.objects.filter(
        mailing=original, contact=OuterRef("contact"), kind=EventKind.CLICK
    ).exclude(verdict=Verdict.MACHINE)
    total, identified = sent.count(), known.count()
    clicked = known.filter(Exists(clicks)).count()
    return ResendNumbers(total, total - identified, clicked, identified - clicked)


def subject_for(original: Mailing) -> str:
    """Return the subject that most readers of *original* have seen: that of a test's winner."""
    winner = _winner(original)
    return subject_of(winner) if winner else original.email.subject


def can_be_resent(mailing: Mailing) -> bool:
    """Tell whether this is a sent mailing, not itself a second attempt, of which clicks are known.

    Once retention has deleted them, everybody seems not to have clicked.
    """
    is_first = mailing.state == MailingState.SENT and mailing.resend_of_id is None
    return is_first and retention.removed_at([mailing.pk]) is None


def current(original: Mailing) -> Mailing | None:
    """Return the resend of *original* that is being prepared or under way, if there is one."""
    states = Q(state=MailingState.DRAFT) | Q(state__in=OPEN_STATES)
    return original.resends.filter(states).order_by("-id").first()


@transaction.atomic
def draft_resend(original: Mailing, *, subject: str, by: Any = None) -> Mailing:
    """Return a draft with the audience and sender of *original*, to be reviewed and sent.

    A draft that was begun before is used again. Raises NotPossible when *original* cannot be
    resent, or its resend is under way.
    """
    locked = Mailing.objects.locked().get(pk=original.pk)
    resend = current(locked)
    if not can_be_resent(locked) or (resend and resend.state != MailingState.DRAFT):
        raise NotPossible(f"mailing {original.pk} cannot be resent now")
    resend = resend or _copy(locked, by)
    winner = _winner(locked)
    content = winner.email if winner else None
    unchanged = content is None and subject == locked.email.subject
    set_variants(resend, [] if unchanged else [(subject, content)])
    return resend


def _copy(original: Mailing, by: Any) -> Mailing:
    resend = Mailing.objects.create(
        email=original.email,
        site=original.site,
        sender=original.sender,
        to_all_lists=original.to_all_lists,
        resend_of=original,
        test_metric=TestMetric.MANUAL,
        created_by=by,
    )
    for name in ("recipient_lists", "segments", "excluded_segments"):
        getattr(resend, name).set(getattr(original, name).all())
    return resend


def _winner(original: Mailing) -> MailingVariant | None:
    if original.winner is None:
        return None
    variants = original.variants.select_related("email", "mailing__email")
    return variants.filter(number=original.winner).first()
