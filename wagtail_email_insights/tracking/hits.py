"""What a request to one of our addresses was, before anybody asked whose it may be.

Written down as one line of JSON while the reader waits, wherever the recorder puts it; read again
when it becomes an event.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NamedTuple

from ..mailings.models import Mailing
from .models import Event, EventKind, Evidence, TrackedLink, Verdict
from .verdicts import RULE_VERSION

FORMAT = 1
_SHORT_TEXT = 40
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class UnreadableHit(ValueError):
    """A line is no hit; it is put aside, so that the others are not held up."""


class Traits(NamedTuple):
    """What a request tells about the program that made it; its address and name end here."""

    verdict: str = Verdict.HUMAN.value
    reason: str = ""
    device: str = ""
    client: str = ""
    network: int = 0
    looks_ahead: bool = False


PERSON = Traits()


class Observation(NamedTuple):
    """One request: an open, click, download or web view, or a sign of a machine (``evidence``).

    ``copy`` is the delivery's id where *identified*, else the random key of the copy, 0 where all
    copies share one.
    """

    kind: str
    at: datetime
    mailing_id: int
    link_id: int | None
    identified: bool
    copy: int
    variant: int
    verdict: str
    verdict_reason: str
    device: str = ""
    client: str = ""
    network: int = 0
    evidence: str = ""
    rule: int = RULE_VERSION

    @property
    def lasting_copy(self) -> int | None:
        """The number under which an anonymous copy is told apart; None where there is none."""
        return -self.copy or None

    def line(self) -> str:
        """Return the hit as one line without a line break."""
        at = round(self.at.timestamp() * 1_000_000)
        return _ENCODER.encode([FORMAT, self.kind, at, *self[2:]])

    @classmethod
    def read(cls, line: str | bytes) -> Observation:
        """Return what ``line`` wrote; raises UnreadableHit for anything else."""
        try:
            version, kind, at, *rest = json.loads(line)
            if version != FORMAT:
                raise UnreadableHit(f"format {version!r}")
            hit = cls(kind, _time(at), *rest)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise UnreadableHit(str(error)) from error
        return hit.checked()

    def checked(self) -> Observation:
        """Return the hit if every part of it fits its column; raises UnreadableHit."""
        texts = (self.verdict_reason, self.device, self.client)
        fits = (
            self.kind in EventKind.values
            and self.verdict in Verdict.values
            and self.evidence in ("", *Evidence.values)
            and all(map(_is_word, texts))
            and isinstance(self.identified, bool)
            and all(map(_is_number, (self.copy, self.network)))
            and all(map(_is_key, (self.mailing_id, self.variant, self.rule)))
            and (self.link_id is None or _is_key(self.link_id))
        )
        if not fits:
            raise UnreadableHit("a value is out of range")
        return self

    def event(self, contact_id: int | None, copy: int | None) -> Event:
        """Return the event, not yet stored, with the person and copy that it may be told by."""
        return Event(
            kind=self.kind,
            at=self.at,
            mailing_id=self.mailing_id,
            link_id=self.link_id,
            contact_id=contact_id,
            copy=copy,
            variant=self.variant,
            verdict=self.verdict,
            verdict_reason=self.verdict_reason,
            rule=self.rule,
            device=self.device[: _length("device")],
            client=self.client[: _length("client")],
        )


def still_there(hits: list[Observation]) -> list[Observation]:
    """Return the hits whose mailing and link exist; two queries."""
    mailings = set(
        Mailing.objects.filter(pk__in={hit.mailing_id for hit in hits}).values_list("pk", flat=True)
    )
    wanted = {hit.link_id for hit in hits if hit.link_id is not None}
    links = dict(TrackedLink.objects.filter(pk__in=wanted).values_list("pk", "mailing_id"))
    return [
        hit
        for hit in hits
        if hit.mailing_id in mailings
        and (hit.link_id is None or links.get(hit.link_id) == hit.mailing_id)
    ]


def _time(microseconds: int) -> datetime:
    if not _is_number(microseconds):
        raise UnreadableHit("no time")
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _SHORT_TEXT and value.isascii()


def _is_number(value: object) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def _is_key(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _length(field: str) -> int | None:
    return getattr(Event._meta.get_field(field), "max_length", None)
