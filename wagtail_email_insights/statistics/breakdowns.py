"""The parts of a figure: by link, device, program, variant, verdict and reason.

All from the tallies, so each costs one to three queries however much has happened. Parts that need
a look at every copy are in ``parts``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from ..mailings.models import Mailing
from ..tracking.agents import CLIENTS
from ..tracking.models import Device, Dimension, LeavingReason, Scope, Tally, TrackedLink, Verdict
from ..tracking.reasons import SENTENCES, Reason
from .definitions import Words
from .figures import ratio
from .parts import PartSlice, by_language, by_list, by_segment

__all__ = [
    "LeavingSlice",
    "LinkSlice",
    "PartSlice",
    "Slice",
    "VerdictSlice",
    "by_client",
    "by_device",
    "by_language",
    "by_leaving_reason",
    "by_link",
    "by_list",
    "by_segment",
    "by_variant",
    "by_verdict",
]

LinkKind = Literal["link", "file"]

UNKNOWN = _("Unknown")
SUMMED = ("opened", "opens", "clicked", "clicks", "downloaded", "downloads", "unsubscribed")
COLUMNS_OF: dict[LinkKind, tuple[str, str]] = {
    "link": ("clicked", "clicks"),
    "file": ("downloaded", "downloads"),
}


@dataclass(frozen=True)
class LinkSlice:
    """One destination: the copies that followed it, and how often in all.

    ``share`` is of the copies in which any link was followed, or any attachment opened.
    """

    url: str
    link_ids: tuple[int, ...]
    kind: LinkKind
    clicked: int
    clicks: int
    share: float | None


@dataclass(frozen=True)
class Slice:
    """One part of the readers; ``share`` is of all opened copies.

    A copy that was read on two devices is part of both.
    """

    key: str
    label: Words
    opened: int
    clicked: int
    clicks: int
    opens: int
    share: float | None


@dataclass(frozen=True)
class VerdictSlice:
    """Opens and clicks that were judged alike, and why."""

    verdict: str
    reason: str
    label: Words
    sentence: Words
    opens: int
    clicks: int


@dataclass(frozen=True)
class LeavingSlice:
    """The copies whose reader left for one reason; ``share`` is of all who left."""

    key: str
    label: Words
    unsubscribed: int
    share: float | None


def by_link(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> list[LinkSlice]:
    """Return every destination in the order of the e-mail, followed or not; three queries.

    The same address in several mailings or variants is one destination.
    """
    mailings = list(mailings)
    sums = _sums(mailings, scope, Dimension.LINK)
    everybody = _sums(mailings, scope, Dimension.ALL).get("", Counter())
    return [
        _link_slice(url, kind, links, sums, everybody)
        for (url, kind, _repeat), links in _destinations(mailings).items()
    ]


def by_device(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> list[Slice]:
    """Return the devices on which e-mails were read, the most used first."""
    return _slices(mailings, scope, Dimension.DEVICE, dict(Device.choices).get)


def by_client(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> list[Slice]:
    """Return the programs in which e-mails were read, the most used first."""
    return _slices(mailings, scope, Dimension.CLIENT, lambda key: CLIENTS.get(key, key))


def by_variant(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> list[Slice]:
    """Return the variants of a mailing in their order; one part where there is no test."""
    slices = _slices(mailings, scope, Dimension.VARIANT, _name_of_variant)
    return sorted(slices, key=lambda part: int(part.key))


def by_verdict(mailings: Iterable[Mailing]) -> list[VerdictSlice]:
    """Return all opens and clicks by what they were judged to be, machines too."""
    sums = _sums(mailings, Scope.EVERYTHING, Dimension.VERDICT)
    slices = [_verdict_slice(key, row) for key, row in sums.items()]
    order = {verdict: place for place, verdict in enumerate(Verdict.values)}
    return sorted(slices, key=lambda part: (order[part.verdict], -part.opens - part.clicks))


def by_leaving_reason(mailings: Iterable[Mailing]) -> list[LeavingSlice]:
    """Return why readers left, the most common reason first; those who did not say come last."""
    mailings = list(mailings)
    said = _sums(mailings, Scope.READERS, Dimension.WHY)
    everybody = _sums(mailings, Scope.READERS, Dimension.ALL).get("", Counter())["unsubscribed"]
    left = Counter({key: row["unsubscribed"] for key, row in said.items()})
    silent = left.pop("", 0)
    labels = dict(LeavingReason.choices) | {"": _("Did not say")}
    rows = [*left.most_common(), *([("", silent)] if silent > 0 else [])]
    return [
        LeavingSlice(key, labels.get(key, key), number, ratio(number, everybody))
        for key, number in rows
        if number
    ]


def _sums(
    mailings: Iterable[Mailing], scope: Scope, dimension: Dimension
) -> dict[str, Counter[str]]:
    """Add up the tallies of one dimension over all mailings, by key."""
    rows = (
        Tally.objects.filter(mailing__in=list(mailings), scope=scope, dimension=dimension)
        .order_by()
        .values_list("key")
        .annotate(**{f"all_{column}": Sum(column) for column in SUMMED})
    )
    return {key: Counter(dict(zip(SUMMED, sums, strict=True))) for key, *sums in rows}


def _destinations(mailings: list[Mailing]) -> dict[tuple[str, LinkKind, int], list[int]]:
    """Return the links to each destination, in the order of the e-mail.

    Corrected links may lead to the same address twice in one e-mail. They stay apart, because a
    copy that followed both would count twice.
    """
    rows = TrackedLink.objects.filter(mailing__in=mailings).order_by("position", "pk")
    seen: Counter[tuple[int, int, str]] = Counter()
    found: dict[tuple[str, LinkKind, int], list[int]] = {}
    for link in rows:
        place = (link.mailing_id, link.variant, link.url)
        kind: LinkKind = "file" if link.document_id else "link"
        found.setdefault((link.url, kind, seen[place]), []).append(link.pk)
        seen[place] += 1
    return found


def _link_slice(
    url: str,
    kind: LinkKind,
    link_ids: list[int],
    sums: dict[str, Counter[str]],
    everybody: Counter[str],
) -> LinkSlice:
    unique, total = COLUMNS_OF[kind]
    rows = [sums[str(pk)] for pk in link_ids if str(pk) in sums]
    clicked = sum(row[unique] for row in rows)
    return LinkSlice(
        url=url,
        link_ids=tuple(link_ids),
        kind=kind,
        clicked=clicked,
        clicks=sum(row[total] for row in rows),
        share=ratio(clicked, everybody[unique]),
    )


def _slices(
    mailings: Iterable[Mailing],
    scope: Scope,
    dimension: Dimension,
    name_of: Callable[[str], Words | None],
) -> list[Slice]:
    mailings = list(mailings)
    everybody = _sums(mailings, scope, Dimension.ALL).get("", Counter())
    slices = [
        Slice(
            key=key,
            label=name_of(key) or UNKNOWN,
            opened=row["opened"],
            clicked=row["clicked"],
            clicks=row["clicks"],
            opens=row["opens"],
            share=ratio(row["opened"], everybody["opened"]),
        )
        for key, row in _sums(mailings, scope, dimension).items()
        if row["opens"] or row["clicks"] or row["opened"]
    ]
    return sorted(slices, key=lambda part: (part.opened, part.opens), reverse=True)


def _name_of_variant(key: str) -> Words:
    return chr(ord("A") + int(key) - 1) if int(key) else _("All readers")


def _verdict_slice(key: str, row: Counter[str]) -> VerdictSlice:
    verdict, _colon, reason = key.partition(":")
    label = Reason(reason).label if reason in Reason.values else Verdict(verdict).label
    return VerdictSlice(
        verdict=verdict,
        reason=reason,
        label=label,
        sentence=SENTENCES.get(reason, ""),
        opens=row["opens"],
        clicks=row["clicks"],
    )
