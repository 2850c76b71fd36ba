"""Sums over events, so that a screen costs the same after ten thousand events and ten million.

Whoever changes the events of some copies folds these copies' events into sums before and after,
and adds the difference (``ledger.keeping_tallies``). Folding all copies makes the tallies anew
(``rebuild``) or tells whether they hold (``audit``): one definition for all three.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.db import connections, router, transaction
from django.db.models import F

from ..mailings.models import Mailing
from . import totals
from .folding import COLUMNS, Place, Sums, facts_in, fold
from .models import Event, MailingTotals, Scope, Tally
from .turns import turn


@dataclass(frozen=True)
class Difference:
    """A number that is stored and is not what the events say."""

    scope: int
    dimension: str
    key: str
    column: str
    stored: int
    counted: int

    def __str__(self) -> str:
        place = ":".join(filter(None, (self.dimension, self.key))) or "all"
        scope = Scope(self.scope).name.lower()
        return f"{self.column} [{scope} {place}]: {self.stored} stored, {self.counted} counted"


def lock(mailing_id: int) -> MailingTotals | None:
    """Hold the sums of a mailing until the transaction ends; None if the mailing is gone.

    The first statement writes, so that on SQLite a transaction that goes on to read is not refused
    because somebody else wrote in between. A mailing whose events were never summed up is caught
    up with.
    """
    mine = MailingTotals.objects.filter(pk=mailing_id)
    if not mine.update(revision=F("revision") + 1):
        if not Mailing.objects.filter(pk=mailing_id).exists():
            return None
        MailingTotals.objects.get_or_create(pk=mailing_id)
        mine.update(revision=F("revision") + 1)
    held = mine.get()
    if not held.has_tallies:
        replace(mailing_id)
        mine.update(has_tallies=True)
    return held


def add(mailing_id: int, changes: Sums) -> None:
    """Add *changes* to the stored tallies; only for who holds ``lock``."""
    if not changes:
        return
    rows = {place: Tally(mailing_id=mailing_id, **_named(place)) for place in changes}
    rows |= {
        (row.scope, row.dimension, row.key): row
        for row in Tally.objects.filter(
            mailing=mailing_id,
            dimension__in={place[1] for place in changes},
            key__in={place[2] for place in changes},
        )
    }
    touched = [rows[place] for place in changes]
    for place, changed in changes.items():
        for column, delta in changed.items():
            setattr(rows[place], column, getattr(rows[place], column) + delta)
    _write(touched)


def count(mailing_id: int) -> Sums:
    """Fold every event of a mailing, one copy after the other."""
    facts = facts_in(Event.objects.filter(mailing=mailing_id))
    sums: Sums = defaultdict(lambda: defaultdict(int))
    for _copy, of_one in groupby(facts, key=attrgetter("copy")):
        for place, columns in fold(of_one).items():
            for column, number in columns.items():
                sums[place][column] += number
    return sums


def rebuild(mailing: Mailing) -> bool:
    """Make every sum of a mailing anew; False where retention has removed its events."""
    with turn(), transaction.atomic():
        held = lock(mailing.pk)
        if held is None or held.events_removed_at:
            return False
        replace(mailing.pk)
        totals.forget([mailing.pk])
        return True


def catch_up() -> int:
    """Sum up the mailings of before there were tallies, the newest first; returns how many."""
    begun = Mailing.objects.filter(started_at__isnull=False)
    ids = begun.exclude(totals__has_tallies=True).order_by("-pk").values_list("pk", flat=True)
    for mailing_id in list(ids):
        with turn(), transaction.atomic():
            lock(mailing_id)
    return len(ids)


def audit(mailing: Mailing) -> list[Difference]:
    """Return every stored number that its events do not bear out; none once events were removed."""
    if not _differences(mailing):
        return []
    # Something may have come in between reading the one and the other: look again, alone.
    with transaction.atomic():
        lock(mailing.pk)
        return _differences(mailing)


def _differences(mailing: Mailing) -> list[Difference]:
    if MailingTotals.objects.filter(pk=mailing.pk, events_removed_at__isnull=False).exists():
        return []
    stored = _stored(mailing.pk)
    counted = count(mailing.pk)
    return _differences_of_copies(mailing) + [
        Difference(*place, column, stored.get(place, {}).get(column, 0), number)
        for place, columns in sorted(_all_columns(stored, counted).items())
        for column in sorted(columns)
        if (number := counted.get(place, {}).get(column, 0)) != stored.get(place, {}).get(column, 0)
    ]


def _differences_of_copies(mailing: Mailing) -> list[Difference]:
    """Compare what is stored about the copies, where that is said to hold."""
    row = MailingTotals.objects.filter(pk=mailing.pk, is_fresh=True).first()
    if row is None:
        return []
    counted = totals.count_copies([mailing.pk])[mailing.pk]
    return [
        Difference(Scope.EVERYTHING, "copies", "", column, getattr(row, column), counted[column])
        for column in totals.COUNTED
        if getattr(row, column) != counted[column]
    ]


def replace(mailing_id: int) -> None:
    """Write the tallies anew; only for who holds ``lock``."""
    Tally.objects.filter(mailing=mailing_id).delete()
    _write(
        [
            Tally(mailing_id=mailing_id, **_named(place), **columns)
            for place, columns in count(mailing_id).items()
        ]
    )


def _stored(mailing_id: int) -> Sums:
    return {
        (row.scope, row.dimension, row.key): {
            column: number for column in COLUMNS if (number := getattr(row, column))
        }
        for row in Tally.objects.filter(mailing=mailing_id)
    }


def _all_columns(*sums: Sums) -> dict[Place, set[str]]:
    columns: dict[Place, set[str]] = defaultdict(set)
    for some in sums:
        for place, cell in some.items():
            columns[place] |= cell.keys()
    return columns


def _write(rows: list[Tally]) -> None:
    features = connections[router.db_for_write(Tally)].features
    key = ["mailing", "scope", "dimension", "key"]
    Tally.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        update_fields=COLUMNS,
        unique_fields=key if features.supports_update_conflicts_with_target else None,
    )


def _named(place: Place) -> dict[str, int | str]:
    return dict(zip(("scope", "dimension", "key"), place, strict=True))
