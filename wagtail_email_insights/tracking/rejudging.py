"""Judging stored opens and clicks: a copy when something new is known of it, a mailing again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from django.db.models import QuerySet

from ..mailings.models import Delivery, DeliveryState, Mailing
from . import ledger
from .folding import SEEN
from .judging import Rules, Sighting, Sign, judge_copy
from .models import Event, Probe
from .turns import turn
from .verdicts import RULE_VERSION, Judgement

BATCH_COPIES = 500
# Ids named in one query: below what SQLite takes.
_IDS_AT_ONCE = 5000


def rejudge(mailing: Mailing, rules: Rules | None = None) -> int:
    """Judge what is stored of a mailing by the present rules; returns how many verdicts changed.

    User agents and networks were thrown away, so what was said by them stays as it is. Each batch
    of copies is a transaction of its own; after a crash call again.
    """
    rules = rules or Rules.from_settings()
    changed = 0
    for copies in _batches(mailing.pk):
        with turn(), ledger.keeping_tallies(mailing.pk, copies):
            changed += judge_copies(mailing.pk, copies, rules)
            _seen(mailing.pk, copies).exclude(rule=RULE_VERSION).update(rule=RULE_VERSION)
    return changed


def judge_copies(mailing_id: int, copies: Collection[int], rules: Rules) -> int:
    """Judge everything stored of *copies*; returns how many verdicts changed.

    To be called inside ``ledger.keeping_tallies`` of the same copies.
    """
    signs = _signs(mailing_id, copies)
    handed_over = _handed_over(mailing_id, copies)
    changes: dict[int, Judgement] = {}
    for copy, sightings in _sightings(mailing_id, copies).items():
        changes |= judge_copy(
            sightings,
            signs.get(copy, ()),
            handed_over_at=handed_over.get(copy),
            rules=rules,
        )
    store(changes)
    return len(changes)


def store(changes: Mapping[int, Judgement]) -> None:
    """Write judgements, given by the ids of their events. Sums are the caller's business."""
    by_judgement: dict[Judgement, list[int]] = defaultdict(list)
    for event_id, judgement in changes.items():
        by_judgement[judgement].append(event_id)
    for judgement, ids in by_judgement.items():
        for start in range(0, len(ids), _IDS_AT_ONCE):
            Event.objects.filter(pk__in=ids[start : start + _IDS_AT_ONCE]).update(
                verdict=judgement.verdict, verdict_reason=judgement.reason, rule=RULE_VERSION
            )


def _seen(mailing_id: int, copies: Collection[int]) -> QuerySet[Event]:
    return Event.objects.filter(mailing=mailing_id, copy__in=copies, kind__in=SEEN)


def _sightings(mailing_id: int, copies: Collection[int]) -> dict[int, list[Sighting]]:
    sightings: dict[int, list[Sighting]] = defaultdict(list)
    rows = _seen(mailing_id, copies).order_by()
    columns = ("copy", "pk", "kind", "at", "link_id", "verdict", "verdict_reason")
    for copy, *columns_of_one in rows.values_list(*columns):
        sightings[copy].append(Sighting(*columns_of_one))
    return sightings


def _signs(mailing_id: int, copies: Collection[int]) -> dict[int, list[Sign]]:
    signs: dict[int, list[Sign]] = defaultdict(list)
    probes = Probe.objects.filter(mailing=mailing_id, copy__in=copies)
    for copy, evidence, at, link_id in probes.values_list("copy", "evidence", "at", "link_id"):
        signs[copy].append(Sign(evidence, at, link_id))
    return signs


def _handed_over(mailing_id: int, copies: Collection[int]) -> dict[int, datetime]:
    """Return when the mail server accepted each copy; an anonymous one's delivery is unknown."""
    deliveries = Delivery.objects.filter(
        pk__in=[copy for copy in copies if copy > 0],
        mailing=mailing_id,
        state=DeliveryState.SENT,
    )
    return {pk: at for pk, at in deliveries.values_list("pk", "settled_at") if at is not None}


def _batches(mailing_id: int) -> Iterator[list[int]]:
    """Yield the mailing's copies of which something was seen, a batch at a time."""
    events = Event.objects.filter(mailing=mailing_id, kind__in=SEEN, copy__isnull=False)
    copies = events.order_by("copy").values_list("copy", flat=True).distinct()
    batch = list(copies[:BATCH_COPIES])
    while batch:
        yield [copy for copy in batch if copy is not None]
        batch = list(copies.filter(copy__gt=batch[-1])[:BATCH_COPIES])
