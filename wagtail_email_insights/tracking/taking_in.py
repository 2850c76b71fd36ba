"""From hits to events: whose they are, what they are, and what they add up to.

Hits come in batches, and everything is asked for a batch at once. Consent is asked here, at the
moment the click becomes an event: a moment after it, under a lock that a withdrawal waits for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Count

from ..consents import queries as consents
from ..contacts.actions import lock_contacts
from ..mailings.models import Delivery
from . import ledger, rejudging, sweeping, tallies
from .folding import Fact, fold
from .hits import Observation, still_there
from .judging import Rules
from .models import Event, EventKind, NetworkSighting, Probe

MOST_PER_COPY = 1000
"""Events of one copy that are told apart from those of others; about the rest see below."""


class Owners:
    """Whose copies some hits are of, and who of them may be known now."""

    def __init__(self, hits: Iterable[Observation]) -> None:
        copies = {hit.copy for hit in hits if hit.identified}
        rows = Delivery.objects.filter(pk__in=copies, contact__isnull=False)
        self._contacts = {
            (pk, mailing): contact
            for pk, mailing, contact in rows.values_list("pk", "mailing_id", "contact_id")
        }
        contacts = set(self._contacts.values())
        # Locked before they are asked: a withdrawal is either seen here, or comes after and strips
        # these events too.
        lock_contacts(*contacts)
        self._known = consents.known_among(contacts)

    def whose(self, hit: Observation) -> tuple[int | None, int | None]:
        """Return the contact that may be named, and the number that tells the copy apart.

        A copy whose contact may no longer be known gets neither: a number that lasts would lead
        back to the delivery, so it counts in totals only.
        """
        if not hit.identified:
            return None, hit.lasting_copy
        contact = self._contacts.get((hit.copy, hit.mailing_id))
        return (contact, hit.copy) if contact in self._known else (None, None)


Pair = tuple[Observation, Event]
"""A hit and the event that it became."""


@transaction.atomic
def take_in(hits: Sequence[Observation]) -> list[Event]:
    """Store what *hits* tell: events with their sums, and signs of machines.

    Hits of mailings or links that are gone are dropped. Raises ``django.db.Error``.
    """
    hits = still_there(list(hits))
    owners = Owners(hits)
    rules = Rules.from_settings()
    by_mailing: dict[int, list[Observation]] = defaultdict(list)
    for hit in hits:
        by_mailing[hit.mailing_id].append(hit)
    pairs: list[Pair] = []
    for mailing_id in sorted(by_mailing):
        pairs += _take_in_for(mailing_id, by_mailing[mailing_id], owners, rules)
    sweeping.judge_networks(_sightings(pairs), rules)
    return [event for _hit, event in pairs]


def _take_in_for(
    mailing_id: int, hits: Sequence[Observation], owners: Owners, rules: Rules
) -> list[Pair]:
    held = tallies.lock(mailing_id)
    if held is None:
        return []
    pairs = [(hit, hit.event(*owners.whose(hit))) for hit in hits if not hit.evidence]
    events = [event for _hit, event in pairs]
    if held.events_removed_at:
        ledger.count_in_totals_only(events)
    _spare_the_busiest(mailing_id, events)
    copies = ledger.copies_of(events) | _store_signs(hits, owners)
    with ledger.keeping_tallies(mailing_id, copies):
        ledger.insert(events)
        rejudging.judge_copies(mailing_id, copies, rules)
    tallies.add(mailing_id, fold(Fact.of(event) for event in events if event.copy is None))
    return pairs


def _spare_the_busiest(mailing_id: int, events: Sequence[Event]) -> None:
    """Count in totals only what happens to a copy of which very much is known already.

    A robot in a loop, or a copy that was forwarded to a whole town: whatever else comes says
    nothing new about the copy, and judging it would cost more every time.
    """
    stored = Event.objects.filter(mailing=mailing_id, copy__in=ledger.copies_of(events))
    numbers = stored.order_by().values("copy").annotate(number=Count("pk"))
    busy = set(numbers.filter(number__gte=MOST_PER_COPY).values_list("copy", flat=True))
    for event in events:
        if event.copy in busy:
            event.copy = event.contact_id = None


def _store_signs(hits: Sequence[Observation], owners: Owners) -> set[int]:
    """Keep the signs of machines among *hits*; returns the copies they are about."""
    probes = [
        Probe(
            mailing_id=hit.mailing_id,
            copy=copy,
            at=hit.at,
            evidence=hit.evidence,
            link_id=hit.link_id,
        )
        for hit in hits
        if hit.evidence and (copy := owners.whose(hit)[1]) is not None
    ]
    Probe.objects.bulk_create(probes)
    return {probe.copy for probe in probes}


def _sightings(pairs: Sequence[Pair]) -> list[NetworkSighting]:
    return [
        NetworkSighting(network=hit.network, at=hit.at, event=event)
        for hit, event in pairs
        if hit.network and event.kind == EventKind.CLICK
    ]
