"""Figures as they should stand on every screen: counted by hand, what they are of in words."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tests.statistics.worlds import World, seen, slow_count, times
from wagtail_email_insights.mailings.models import Mailing

REPORTED_BY = {
    "bounced": {"hard_bounce", "soft_bounce"},
    "complained": {"complaint"},
    "replied": {"reply"},
}
"""Figures that only somebody else can tell us of, and by which kind of event."""

DENOMINATORS = {"sent": "to be sent", "delivered": "sent", "bounced": "sent"} | dict.fromkeys(
    ("unsubscribed", "complained", "replied"), "delivered"
)


class Told(NamedTuple):
    """One figure as it should stand on every screen."""

    value: int
    of: int
    of_what: str
    total: int | None
    known: int | None
    """How many of the *total* times it was somebody with a name; None where nobody asks."""

    @property
    def rate(self) -> float | None:
        return self.value / self.of if self.of else None

    @property
    def percent(self) -> str:
        return percent(self.value, self.of)


def percent(part: int, whole: int) -> str:
    """One digit after the point, halves up; a dash where there is nothing to divide by."""
    if not whole:
        return "–"
    share = Decimal(part) * 100 / Decimal(whole)
    return f"{share.quantize(Decimal('0.1'), ROUND_HALF_UP)} %"


def told(world: World, mailings: list[Mailing], scope: int = 1) -> dict[str, Told]:
    """Every figure that somebody reports, by its code; the others must be absent."""
    absent = {code for code, kinds in REPORTED_BY.items() if not kinds & _kinds(world)}
    if not any(mailing.pk in world.with_file for mailing in mailings):
        absent.add("downloaded")
    counted = slow_count(world, mailings, scope)
    apart = "" if counted["opened"][1] == counted["unsubscribed"][1] else " and told apart"
    words = DENOMINATORS | {
        "click_to_open": "opened",
        "downloaded": f"delivered with an attachment{apart}",
    }
    named = {"opened": "open", "clicked": "click"}
    return {
        code: Told(
            *(value, of),
            words.get(code, f"delivered{apart}"),
            total,
            named_times(world, mailings, scope, named[code]) if code in named else None,
        )
        for code, (value, of, total) in counted.items()
        if code not in absent
    }


def named_times(world: World, mailings: list[Mailing], scope: int, kind: str) -> int:
    return times([row for row in seen(world, mailings, scope) if row["contact"]], kind)


def _kinds(world: World) -> set[str]:
    return {row["kind"] for row in world.events}
