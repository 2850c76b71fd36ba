"""Person or machine? What the hits of one copy say together, and one network's over many copies.

Nothing here asks the database or the clock: the same sightings and signs lead to the same answer,
in whatever order and however often they are judged. Each sighting is first taken back to what its
own request said (``spoken_for``); those that passed for a person are then held against the signs,
the strongest first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from ..conf import app_settings
from .models import EventKind, Evidence, Verdict
from .reasons import Reason
from .verdicts import HUMAN, Judgement

LOOKAHEAD_SECONDS = 3.0
"""How soon after looking ahead a scanner comes back for the link itself."""

HANDOVER_SECONDS = 300.0
"""How long before a copy was accepted its hits may be explained by that.

Filters that read an e-mail while it is being handed over take seconds. Further apart it is rather
the time of acceptance that came in late: from a report about a copy that had been uncertain.
"""

CONTEXTUAL = frozenset({Reason.TRAP, Reason.AFTER_LOOKAHEAD, Reason.BURST, Reason.BEFORE_HANDOVER})
"""Reasons that follow from other hits: whoever has one passed for a person by its own request."""


class Sighting(NamedTuple):
    """An open, click, download or web view of a copy, as it is judged now."""

    id: int
    kind: str
    at: datetime
    link_id: int | None
    verdict: str
    reason: str
    network: int = 0
    """0: unknown."""


class Sign(NamedTuple):
    """Something only machines do, which is no event: an ``Evidence`` value and when it was seen."""

    evidence: str
    at: datetime
    link_id: int | None


@dataclass(frozen=True)
class Rules:
    """The thresholds; what each means stands with the setting of the same name."""

    trap_seconds: float = 30.0
    burst_links: int = 3
    burst_seconds: float = 1.0
    sweep_copies: int = 10
    sweep_seconds: float = 10.0

    @classmethod
    def from_settings(cls) -> Rules:
        return cls(
            trap_seconds=app_settings.trap_seconds,
            burst_links=app_settings.burst_links,
            burst_seconds=app_settings.burst_seconds,
            sweep_copies=app_settings.sweep_copies,
            sweep_seconds=app_settings.sweep_seconds,
        )


class _Copy(NamedTuple):
    sightings: Sequence[Sighting]
    signs: Sequence[Sign]
    handed_over_at: datetime | None
    rules: Rules


def judge_copy(
    sightings: Sequence[Sighting],
    signs: Sequence[Sign],
    *,
    handed_over_at: datetime | None,
    rules: Rules,
) -> dict[int, Judgement]:
    """Judge all sightings of one copy; returns those by id whose judgement changes.

    *handed_over_at* is when the mail server accepted the copy, None where nobody knows.
    """
    copy = _Copy(sightings, signs, handed_over_at, rules)
    judgements = {sighting.id: spoken_for(sighting) for sighting in sightings}
    in_doubt = {pk for pk, judgement in judgements.items() if _passes(judgement.verdict)}
    for reason, find in _FINDERS:
        found = in_doubt & set(find(copy))
        judgements |= dict.fromkeys(found, Judgement(Verdict.MACHINE, reason.value))
        in_doubt -= found
    stored = {sighting.id: (sighting.verdict, sighting.reason) for sighting in sightings}
    return {
        pk: judgement
        for pk, judgement in judgements.items()
        if stored[pk] != (judgement.verdict, judgement.reason)
    }


def sweeps(sightings: Iterable[tuple[int, Sighting]], rules: Rules) -> dict[int, Judgement]:
    """Judge clicks of many copies, each given with its copy, by the networks they came from.

    Returns those that pass for a person no longer, by id. A network is forgotten soon, so this
    judgement is for good.
    """
    by_network: dict[int, list[_Moment]] = defaultdict(list)
    passing = set()
    for copy, sighting in sightings:
        if sighting.network and sighting.kind == EventKind.CLICK:
            by_network[sighting.network].append(_Moment(sighting.at, copy, sighting.id))
            if _passes(sighting.verdict):
                passing.add(sighting.id)
    span = timedelta(seconds=rules.sweep_seconds)
    crowded = {
        moment.id
        for moments in by_network.values()
        for moment in _crowded(sorted(moments), span, least=rules.sweep_copies)
    }
    return dict.fromkeys(crowded & passing, Judgement(Verdict.MACHINE, Reason.SWEEP.value))


def spoken_for(sighting: Sighting) -> Judgement:
    """Return what the request itself said, whatever else was found out about it since."""
    if sighting.verdict == Verdict.PROXY and sighting.kind != EventKind.OPEN:
        return Judgement(Verdict.MACHINE, Reason.PROXY_CLICK.value)
    if sighting.reason in CONTEXTUAL:
        return HUMAN
    return Judgement(Verdict(sighting.verdict), sighting.reason)


class _Moment(NamedTuple):
    at: datetime
    what: int
    """What is told apart: the link, or the copy."""
    id: int = 0
    """The sighting; 0 where there is none."""


def _passes(verdict: str) -> bool:
    return verdict in (Verdict.HUMAN, Verdict.SUSPECTED)


def _trapped(copy: _Copy) -> Iterator[int]:
    reach = timedelta(seconds=copy.rules.trap_seconds)
    traps = sorted(sign.at for sign in copy.signs if sign.evidence == Evidence.TRAP)
    for sighting in copy.sightings:
        if _any_between(traps, sighting.at - reach, sighting.at + reach):
            yield sighting.id


def _after_lookahead(copy: _Copy) -> Iterator[int]:
    looked: dict[int | None, list[datetime]] = defaultdict(list)
    for sign in sorted(_lookaheads(copy), key=attrgetter("at")):
        looked[sign.link_id].append(sign.at)
    reach = timedelta(seconds=LOOKAHEAD_SECONDS)
    for sighting in copy.sightings:
        if _any_between(looked[sighting.link_id], sighting.at - reach, sighting.at):
            yield sighting.id


def _bursts(copy: _Copy) -> Iterator[int]:
    """Yield what belongs to a burst: hits that follow each other closely, with many links at once.

    An image proxy fetches in its own time and connects nothing; looking ahead at a link counts
    like following it.
    """
    moments = [_Moment(sign.at, sign.link_id or 0) for sign in _lookaheads(copy)] + [
        _Moment(sighting.at, sighting.link_id or 0, sighting.id)
        for sighting in copy.sightings
        if spoken_for(sighting).verdict != Verdict.PROXY
    ]
    span = timedelta(seconds=copy.rules.burst_seconds)
    for run in _runs(sorted(moments), span):
        with_link = [moment for moment in run if moment.what]
        if any(_crowded(with_link, span, least=copy.rules.burst_links)):
            yield from (moment.id for moment in run)


def _too_early(copy: _Copy) -> Iterator[int]:
    if copy.handed_over_at is None:
        return
    earliest = copy.handed_over_at - timedelta(seconds=HANDOVER_SECONDS)
    for sighting in copy.sightings:
        if earliest <= sighting.at < copy.handed_over_at:
            yield sighting.id


_FINDERS: tuple[tuple[Reason, Callable[[_Copy], Iterable[int]]], ...] = (
    (Reason.TRAP, _trapped),
    (Reason.AFTER_LOOKAHEAD, _after_lookahead),
    (Reason.BURST, _bursts),
    (Reason.BEFORE_HANDOVER, _too_early),
)
"""The strongest sign first: the first that fits gives the reason."""


def _any_between(moments: Sequence[datetime], start: datetime, end: datetime) -> bool:
    """Tell whether one of *moments*, in time order, lies in that span, its ends included."""
    place = bisect_left(moments, start)
    return place < len(moments) and moments[place] <= end


def _lookaheads(copy: _Copy) -> Iterator[Sign]:
    return (sign for sign in copy.signs if sign.evidence == Evidence.LOOKAHEAD)


def _runs(moments: Sequence[_Moment], gap: timedelta) -> Iterator[list[_Moment]]:
    """Part *moments*, in time order, wherever nothing happened for longer than *gap*."""
    if not moments:
        return
    run = [moments[0]]
    for before, moment in pairwise(moments):
        if moment.at - before.at > gap:
            yield run
            run = []
        run.append(moment)
    yield run


def _crowded(moments: Sequence[_Moment], span: timedelta, *, least: int) -> Iterator[_Moment]:
    """Yield those of *moments*, in time order, that share a *span* with *least* different things.

    Below two nothing is a crowd, so a threshold of 0 or 1 switches its rule off.
    """
    if least < 2:
        return
    inside: Counter[Hashable] = Counter()
    first = done = 0
    for last, moment in enumerate(moments):
        inside[moment.what] += 1
        while moment.at - moments[first].at > span:
            _take_out(inside, moments[first].what)
            first += 1
        if len(inside) >= least:
            yield from moments[max(first, done) : last + 1]
            done = last + 1


def _take_out(inside: Counter[Hashable], what: Hashable) -> None:
    inside[what] -= 1
    if not inside[what]:
        del inside[what]
