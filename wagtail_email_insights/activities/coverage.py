"""Why activities show less than the statistics, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, Sum

from ..tracking import recording, retention, totals
from ..tracking.models import Dimension, Scope, Tally


class Heard(NamedTuple):
    """How often something was counted: for everybody, with a name, and by machines besides."""

    counted: int
    known: int
    by_machines: int

    @property
    def nameless(self) -> int:
        return self.counted - self.known


class Coverage(NamedTuple):
    """How many copies went to people who may be known, and how much of what was counted is theirs.

    The statistics show ``counted`` unless they are told to take in machines too. Where retention
    has deleted single events, at ``events_removed_at``, nothing of it is listed any more.
    """

    sent: int
    identified: int
    clicks: Heard
    opens: Heard
    events_removed_at: datetime | None = None

    @property
    def is_nameless(self) -> bool:
        """Something was counted and none of it may be shown."""
        return bool(
            self.clicks.counted + self.opens.counted and not self.clicks.known + self.opens.known
        )


def coverage_of(mailings: Sequence[int]) -> Coverage:
    """Add up the mailings with these keys: the same few queries whatever has happened."""
    recording.catch_up()
    copies = totals.totals_of(mailings).values()
    sums = _sums(mailings)
    return Coverage(
        sent=sum(copy.sent for copy in copies),
        identified=sum(copy.identified for copy in copies),
        clicks=_heard(sums, "clicks"),
        opens=_heard(sums, "opens"),
        events_removed_at=retention.removed_at(mailings),
    )


def _sums(mailings: Sequence[int]) -> dict[str, int]:
    """Return the totals by "<column>_<scope>"; the identified ones of readers only."""
    whole = Tally.objects.filter(mailing__in=mailings, dimension=Dimension.ALL, key="")
    wanted = {
        f"{column}_{scope.name.lower()}": Sum(column, filter=Q(scope=scope), default=0)
        for column in ("clicks", "opens", "clicks_identified", "opens_identified")
        for scope in (Scope.READERS, Scope.EVERYTHING)
    }
    return whole.aggregate(**wanted)


def _heard(sums: dict[str, int], column: str) -> Heard:
    counted = sums[f"{column}_readers"]
    return Heard(
        counted=counted,
        known=sums[f"{column}_identified_readers"],
        by_machines=sums[f"{column}_everything"] - counted,
    )
