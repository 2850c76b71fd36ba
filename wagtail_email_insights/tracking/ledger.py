"""The one way in which events are written and changed: their sums are kept right with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from django.db import connections, router, transaction

from .. import signals
from . import tallies, totals
from .folding import Fact, difference, facts_of, fold
from .models import Event, EventKind

MOVES_TOTALS = totals.BOUNCES | {EventKind.DELIVERED}


@transaction.atomic
def store(events: Sequence[Event]) -> list[Event]:
    """Insert *events*, add them to the tallies, and announce each once that is committed.

    Raises ``django.db.Error``; IntegrityError where what an event is about no longer exists.
    """
    by_mailing: dict[int | None, list[Event]] = defaultdict(list)
    for event in events:
        by_mailing[event.mailing_id].append(event)
    insert(by_mailing.pop(None, []))
    # In one order everywhere, so that two who write about the same mailings do not block.
    for mailing_id in sorted(pk for pk in by_mailing if pk):
        store_for(mailing_id, by_mailing[mailing_id])
    return list(events)


def store_for(mailing_id: int, events: Sequence[Event]) -> None:
    """Insert events that are all about one mailing; inside a transaction."""
    held = tallies.lock(mailing_id)
    if held and held.events_removed_at:
        count_in_totals_only(events)
    with keeping_tallies(mailing_id, copies_of(events)):
        insert(events)
    loose = [Fact.of(event) for event in events if event.copy is None]
    tallies.add(mailing_id, fold(loose))
    if any(event.kind in MOVES_TOTALS for event in events):
        totals.forget([mailing_id])


@contextmanager
def keeping_tallies(
    mailing_id: int, copies: Collection[int], event_ids: Collection[int] = ()
) -> Iterator[None]:
    """Change, inside, any event of these copies of a mailing, and add or take away some.

    *event_ids* names changed events that belong to no copy. A copy that gets another number inside
    is named by both. All or nothing; whoever else changes this mailing's events waits.
    """
    with transaction.atomic():
        tallies.lock(mailing_id)
        before = facts_of(mailing_id, copies, event_ids)
        yield
        after = facts_of(mailing_id, copies, event_ids)
        tallies.add(mailing_id, difference(fold(after), fold(before)))
        # What is known of a copy that came back may tell that it has arrived after all.
        if any(fact.kind in totals.BOUNCES for fact in (*before, *after)):
            totals.forget([mailing_id])


def insert(events: Sequence[Event]) -> None:
    """Insert events without their sums and announce them; for ``keeping_tallies``."""
    if connections[router.db_for_write(Event)].features.can_return_rows_from_bulk_insert:
        Event.objects.bulk_create(events, batch_size=500)
    else:
        for event in events:
            event.save(force_insert=True)
    for event in events:
        announce(event)


def announce(event: Event) -> None:
    """Send ``event_recorded`` on commit; a listener that fails is logged and costs no event."""
    transaction.on_commit(partial(signals.event_recorded.send_robust, Event, event=event))


def copies_of(events: Sequence[Event]) -> set[int]:
    return {event.copy for event in events if event.copy is not None}


def count_in_totals_only(events: Sequence[Event]) -> None:
    """Whether these copies were counted before, nobody can tell any more."""
    for event in events:
        event.copy = None
