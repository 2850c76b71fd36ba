"""Who is in a segment, and what its rule says in words. SQL decides, never Python per contact."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from ..contacts.models import Contact
from .models import Match, Segment
from .registry import get_condition

GROUP = "group"
NOBODY = Q(pk__in=[])


class UnknownCondition(LookupError):
    """A segment uses a condition that is no longer registered: its package was removed.

    Leaving the condition out would widen the segment, up to everybody; so nothing is answered.
    """

    def __init__(self, codes: Iterable[str]) -> None:
        self.codes = sorted(set(codes))
        super().__init__(*self.codes)

    def __str__(self) -> str:
        return _(
            "This segment uses a condition that is not installed any more: %(codes)s. Install it "
            "again, or save the segment without it."
        ) % {"codes": ", ".join(self.codes)}


def contacts_in(segment: Segment) -> QuerySet[Contact]:
    """Return the contacts that fulfil the rule now; nobody when it has no conditions.

    Raises UnknownCondition.
    """
    return Contact.objects.filter(segment_q(segment))


def count(segment: Segment) -> int:
    """Return how many contacts are in *segment* now. Raises UnknownCondition."""
    return contacts_in(segment).count()


def segment_q(segment: Segment) -> Q:
    """Return the rule as a filter on Contact that joins nothing and so goes with any other.

    Raises UnknownCondition.
    """
    _refuse_unknown(segment)
    return _combined(segment.match, segment.conditions)


def sentences(segment: Segment) -> list[str]:
    """Return one sentence per condition, a group as one in brackets. Raises UnknownCondition."""
    _refuse_unknown(segment)
    return _sentences(segment.conditions)


def rule_in_words(segment: Segment) -> str:
    """Return the whole rule as one sentence; empty without conditions. Raises UnknownCondition."""
    return _joined(segment.match, sentences(segment))


def rules_in_words(segments: Iterable[Segment]) -> dict[int, str]:
    """Return the rules of saved *segments* by key, or why one cannot be told.

    A list of segments costs as many queries as a single one.
    """
    segments = list(segments)
    unknown = unknown_conditions(segments)
    _read_together(segments)
    return {
        segment.pk: str(UnknownCondition(unknown[segment.pk]))
        if segment.pk in unknown
        else _joined(segment.match, _sentences(segment.conditions))
        for segment in segments
    }


def unknown_conditions(segments: Iterable[Segment]) -> dict[int, set[str]]:
    """Return the codes of conditions nobody has registered, by key of the segment.

    Asks the database, because a StreamField drops blocks that it does not know when it is read.
    """
    stored = Segment.objects.filter(pk__in=[segment.pk for segment in segments]).values_list(
        "pk", Cast("conditions", TextField())
    )
    found = {pk: set(_unknown_codes(json.loads(text or "[]"))) for pk, text in stored}
    return {pk: codes for pk, codes in found.items() if codes}


def permissions_needed(segment: Segment) -> set[str]:
    """Return the permissions without which nobody may see who is in *segment*."""
    return {permission for permission in _permissions(segment.conditions) if permission}


def _permissions(children: Iterable[Any]) -> Iterator[str | None]:
    for child in children:
        if child.block_type == GROUP:
            yield from _permissions(child.value["conditions"])
        else:
            yield get_condition(child.block_type).needs_permission


def _refuse_unknown(segment: Segment) -> None:
    if segment.pk and (unknown := unknown_conditions([segment])):
        raise UnknownCondition(unknown[segment.pk])


def _unknown_codes(items: list[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        if item["type"] == GROUP:
            yield from _unknown_codes(item["value"].get("conditions", []))
        elif not _is_registered(item["type"]):
            yield item["type"]


def _is_registered(code: str) -> bool:
    try:
        get_condition(code)
    except KeyError:
        return False
    return True


def _read_together(segments: Sequence[Segment]) -> None:
    field: Any = Segment._meta.get_field("conditions")
    streams = field.stream_block.bulk_to_python(
        [list(segment.conditions.raw_data) for segment in segments]
    )
    for segment, stream in zip(segments, streams, strict=True):
        segment.conditions = stream


def _combined(match: str, children: Iterable[Any]) -> Q:
    parts = [_part(child) for child in children]
    if not parts:
        return NOBODY
    return reduce(operator.and_ if match == Match.ALL else operator.or_, parts)


def _part(child: Any) -> Q:
    if child.block_type == GROUP:
        return _group(child.value)
    return get_condition(child.block_type).to_q(child.value)


def _group(group: Any) -> Q:
    # An empty group turned round must not become everybody.
    if not group["conditions"]:
        return NOBODY
    q = _combined(group["match"], group["conditions"])
    return ~q if group["negate"] else q


def _sentences(children: Iterable[Any]) -> list[str]:
    return [_sentence(child) for child in children]


def _sentence(child: Any) -> str:
    if child.block_type != GROUP:
        return get_condition(child.block_type).sentence(child.value)
    group = child.value
    inner = _joined(group["match"], _sentences(group["conditions"]))
    return (_("not (%(rule)s)") if group["negate"] else "(%(rule)s)") % {"rule": inner}


def _joined(match: str, parts: list[str]) -> str:
    glue = _("%(first)s and %(second)s") if match == Match.ALL else _("%(first)s or %(second)s")
    return reduce(lambda first, second: glue % {"first": first, "second": second}, parts or [""])
