"""From hits to events: whose they are, what they are, and what they add up to.

Hits come in batches, and everything is asked for a batch at once. Consent is asked here, at the
moment the click becomes an event: a moment after it, under a lock that a withdrawal waits for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from ..consents import queries as consents
from ..contacts.actions import lock_contacts
from ..mailings.models import Delivery
from . import ledger, rejudging, sweeping, tallies
from .folding import SEEN, Fact, fold
from .hits import Observation, still_there
from .judging import Rules
from .models import Event, EventKind, MailingTotals, NetworkSighting, Probe, Verdict

MOST_PER_COPY = 1000
"""Events of one copy, about, that are told apart from those of others (see ``_spare``)."""

MOST_SIGNS = 100
"""Signs of machines that are kept of one copy."""


class Owners:
    """Whose copies some hits are of, and who of them may be known now."""

    def __init__(self, hits: Iterable[Observation]) -> None:
        copies = {hit.copy for hit in hits if hit.identified}
        # Whoever withdrew and agreed again has copies that are known no more: they stay unknown.
        rows = Delivery.objects.filter(pk__in=copies, identified=True, contact__isnull=False)
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
    # All sums that will change, in one order everywhere: so nobody waits for us while we wait.
    near = sweeping.mailings_near([sighting for hit in hits if (sighting := _sighting(hit))], rules)
    held = {pk: tallies.lock(pk) for pk in sorted(by_mailing.keys() | near)}
    pairs: list[Pair] = []
    for mailing_id in sorted(by_mailing):
        if totals := held[mailing_id]:
            pairs += _take_in_for(totals, by_mailing[mailing_id], owners, rules)
    sightings = [seen for hit, event in pairs if (seen := _sighting(hit, event))]
    sweeping.judge_networks(sightings, rules)
    return [event for _hit, event in pairs]


def _take_in_for(
    held: MailingTotals, hits: Sequence[Observation], owners: Owners, rules: Rules
) -> list[Pair]:
    mailing_id = held.pk
    pairs = [(hit, hit.event(*owners.whose(hit))) for hit in hits if not hit.evidence]
    if held.events_removed_at:
        ledger.count_in_totals_only([event for _hit, event in pairs])
    else:
        pairs = _new_ones(mailing_id, pairs)
    events = [event for _hit, event in pairs]
    copies = ledger.copies_of(events) | _store_signs(hits, owners)
    with ledger.keeping_tallies(mailing_id, copies):
        ledger.insert(events)
        rejudging.judge_copies(mailing_id, copies, rules)
    tallies.add(mailing_id, fold(Fact.of(event) for event in events if event.copy is None))
    return pairs


def _new_ones(mailing_id: int, pairs: Sequence[Pair]) -> list[Pair]:
    """Return those that are not stored; of the busiest copies they count in totals only.

    A hit comes twice when a recorder took it but its answer was lost, so that it went to the spool
    too. It is known by its time, to the microsecond.
    """
    seen: set[tuple[int | None, str, int | None, datetime]] = set()
    numbers: Counter[int | None] = Counter()
    stored = Event.objects.filter(
        mailing=mailing_id, copy__in=ledger.copies_of([event for _hit, event in pairs])
    ).order_by()
    for row in stored.values_list("copy", "kind", "link_id", "at"):
        seen.add(row)
        numbers[row[0]] += 1
    found = []
    for hit, event in pairs:
        moment = (event.copy, event.kind, event.link_id, event.at)
        if event.copy is None or moment not in seen:
            seen.add(moment)
            found.append((hit, event))
    busy = {copy for copy, number in numbers.items() if number >= MOST_PER_COPY}
    _spare(mailing_id, [event for _hit, event in found if event.copy in busy])
    return found


def _spare(mailing_id: int, events: Sequence[Event]) -> None:
    """Count *events* of the busiest copies in totals only, and take them for what came before.

    A robot in a loop, or a copy that was forwarded to a whole town: whatever else comes says
    nothing new about the copy, and judging all of it would cost more every time.
    """
    for copy in ledger.copies_of(events):
        stored = Event.objects.filter(mailing=mailing_id, copy=copy, kind__in=SEEN)
        verdict, reason = stored.order_by("-at", "-pk").values_list("verdict", "verdict_reason")[0]
        for event in events:
            if event.copy == copy:
                if verdict == Verdict.MACHINE and event.verdict == Verdict.HUMAN:
                    event.verdict, event.verdict_reason = verdict, reason
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
    if not probes:
        return set()
    stored = Probe.objects.filter(
        mailing=probes[0].mailing_id, copy__in={probe.copy for probe in probes}
    )
    numbers = Counter(stored.values_list("copy", flat=True))
    # Many signs of one copy say no more than some.
    new = [probe for probe in probes if numbers[probe.copy] < MOST_SIGNS]
    Probe.objects.bulk_create(new)
    return {probe.copy for probe in new}


def _sighting(hit: Observation, event: Event | None = None) -> NetworkSighting | None:
    if not hit.network or hit.evidence or hit.kind != EventKind.CLICK:
        return None
    return NetworkSighting(network=hit.network, at=hit.at, event=event)
