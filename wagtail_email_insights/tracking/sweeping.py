"""One network that clicks in many copies at once: noticed while it is still remembered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from . import ledger
from .judging import Rules, Sighting, sweeps
from .models import Event, NetworkSighting
from .verdicts import RULE_VERSION, Judgement

MEMORY = timedelta(hours=1)
"""How long it is remembered which network an event came from."""


def judge_networks(new: Sequence[NetworkSighting], rules: Rules) -> None:
    """Remember *new* sightings and judge what now looks like a sweep.

    Inside a transaction that holds the sums of ``mailings_near``.
    """
    NetworkSighting.objects.bulk_create(new)
    if new and rules.sweep_copies:
        _apply(sweeps(_around(new, rules), rules))


def mailings_near(new: Sequence[NetworkSighting], rules: Rules) -> set[int]:
    """Return the mailings whose clicks may be judged anew because of *new*, stored or not yet."""
    if not (new and rules.sweep_copies):
        return set()
    mailings = _sightings_around(new, rules).values_list("event__mailing_id", flat=True)
    return {pk for pk in mailings.distinct() if pk is not None}


def forget_networks() -> None:
    """Delete what is older than MEMORY, and what a wrong clock has put into the future."""
    now = timezone.now()
    NetworkSighting.objects.filter(Q(at__lt=now - MEMORY) | Q(at__gt=now + MEMORY)).delete()


def _around(new: Sequence[NetworkSighting], rules: Rules) -> list[tuple[int, Sighting]]:
    """Return the clicks from the networks of *new*, as long before and after as a sweep lasts."""
    rows = _sightings_around(new, rules).values_list(
        "network",
        "event_id",
        "event__copy",
        "event__kind",
        "event__at",
        "event__link_id",
        "event__verdict",
        "event__verdict_reason",
    )
    return [
        (copy, Sighting(pk, kind, at, link, verdict, reason, network))
        for network, pk, copy, kind, at, link, verdict, reason in rows
        if copy is not None
    ]


def _sightings_around(new: Sequence[NetworkSighting], rules: Rules) -> QuerySet[NetworkSighting]:
    span = timedelta(seconds=rules.sweep_seconds)
    return NetworkSighting.objects.filter(
        network__in={sighting.network for sighting in new},
        at__gte=min(sighting.at for sighting in new) - span,
        at__lte=max(sighting.at for sighting in new) + span,
        event__copy__isnull=False,
    )


def _apply(judgements: dict[int, Judgement]) -> None:
    by_mailing: dict[int, list[Event]] = defaultdict(list)
    for event in Event.objects.filter(pk__in=judgements):
        if event.mailing_id is not None:
            by_mailing[event.mailing_id].append(event)
    for mailing_id in sorted(by_mailing):
        events = by_mailing[mailing_id]
        with ledger.keeping_tallies(mailing_id, ledger.copies_of(events)):
            for event in events:
                judgement = judgements[event.pk]
                event.verdict, event.verdict_reason = judgement.verdict, judgement.reason
                event.rule = RULE_VERSION
            Event.objects.bulk_update(events, ["verdict", "verdict_reason", "rule"], batch_size=500)
