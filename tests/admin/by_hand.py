"""What screens should say about some mailings of a random world, counted by hand.

Beside ``tests.statistics.worlds``, which counts the figures themselves: their parts, and who is
behind them. Nothing here may look at the code it judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from tests.statistics.told import Told, told
from tests.statistics.worlds import (
    FILE,
    LANGUAGES,
    LISTS,
    LISTS_TODAY,
    URLS,
    World,
    bounce_of,
    different_copies,
    hard_bounces,
    seen,
    times,
)
from wagtail_email_insights.mailings.models import Mailing

Row = dict[str, Any]

KINDS = {
    "opened": ("open", "click", "download"),
    "clicked": ("click",),
    "unsubscribed": ("unsubscribe",),
    "complained": ("complaint",),
    "replied": ("reply",),
    "downloaded": ("download",),
    "viewed": ("web_view",),
}
"""Figures of what readers do, and the kinds of events that show it."""

PARTS: dict[str, dict[str, tuple[int, ...]]] = {
    "list": LISTS,
    "segment": {f"On {name}": numbers for name, numbers in LISTS_TODAY.items()},
    "language": {
        name: tuple(number for number, noted in enumerate(LANGUAGES) if noted == code)
        for code, name in (("de", "German"), ("en", "English"), ("", "Unknown"))
    },
}
"""The contacts in each row of a breakdown that takes a look at every copy."""


@dataclass
class Look:
    """Some mailings taken together, counted in one scope."""

    world: World
    mailings: list[Mailing]
    scope: int

    @cached_property
    def told(self) -> dict[str, Told]:
        return told(self.world, self.mailings, self.scope)

    @cached_property
    def events(self) -> list[Row]:
        return seen(self.world, self.mailings, self.scope)

    @cached_property
    def copies(self) -> list[Row]:
        ids = {mailing.pk for mailing in self.mailings}
        return [row for row in self.world.copies if row["mailing"] in ids]

    def in_scope(self, scope: int) -> Look:
        return Look(self.world, self.mailings, scope)

    def copies_that(self, code: str) -> set[Any]:
        """The copies that show what a figure counts."""
        return different_copies(self.events, *KINDS[code])

    def in_state(self, state: str) -> list[Row]:
        return [row for row in self.copies if row["state"] == state]

    @property
    def bounces(self) -> dict[str, int]:
        hard = hard_bounces(self.world, self.mailings)
        return {"for good": hard, "for now": self.told["bounced"].value - hard}

    @property
    def by_machines(self) -> tuple[int, int]:
        """Clicks and opens that are kept apart."""
        readers, everything = (seen(self.world, self.mailings, scope) for scope in (1, 2))
        clicks, opens = (times(everything, it) - times(readers, it) for it in ("click", "open"))
        return clicks, opens

    @property
    def only_through_proxy(self) -> int:
        people, readers = (self.in_scope(scope).copies_that("opened") for scope in (0, 1))
        return len(readers - people)

    @property
    def links(self) -> dict[str, tuple[str, int, int, int]]:
        """Each destination: kind, readers, clicks, and the readers of any of its kind."""
        has_file = any(mailing.pk in self.world.with_file for mailing in self.mailings)
        found = dict.fromkeys(URLS, "click") | ({FILE: "download"} if has_file else {})
        return {url: self._link(url, kind) for url, kind in found.items()}

    def _link(self, url: str, kind: str) -> tuple[str, int, int, int]:
        here = those_with(self.events, url=url)
        return (
            "Attachment" if kind == "download" else "Link",
            len(different_copies(here, kind)),
            times(here, kind),
            len(different_copies(self.events, kind)),
        )

    def parts(self, name: str) -> dict[str, tuple[int, int, int, int]]:
        """Opened, opens, clicked and clicks of each device or program that shows any."""
        found = {}
        for key in {row[name] for row in self.events}:
            here = those_with(self.events, **{name: key})
            found[key] = (
                len(different_copies(here, *KINDS["opened"])),
                times(here, "open"),
                len(different_copies(here, "click")),
                times(here, "click"),
            )
        return {key: numbers for key, numbers in found.items() if any(numbers)}

    def of_those(self, part: str) -> dict[str, tuple[int, int, int, int]]:
        """Sent, identified, opened and clicked for each list, segment or language of readers."""
        found = {}
        for name, numbers in PARTS[part].items():
            contacts = {self.world.contacts[number].pk for number in numbers}
            sent = [row for row in self.in_state("sent") if row["contact"] in contacts]
            known = {row["id"] for row in sent if row["identified"]}
            done = (known & self.copies_that(code) for code in ("opened", "clicked"))
            found[name] = (len(sent), len(known), *map(len, done))
        return {name: numbers for name, numbers in found.items() if numbers[0]}

    def leavers(self, why: str) -> int:
        return len(different_copies(those_with(self.events, why=why), "unsubscribe"))


def those_with(events: list[Row], **where: Any) -> list[Row]:
    return [row for row in events if all(row[name] == value for name, value in where.items())]


def behind(
    look: Look, code: str, during: tuple[datetime, datetime] | None = None, **where: Any
) -> tuple[set[int], int]:
    """The contacts behind a number who may be named, and how many of its copies have no name.

    With *during*, of the copies that did it for the first time from the one moment until before
    the other.
    """
    if code in KINDS:
        events = [row for row in those_with(look.events, **where) if row["kind"] in KINDS[code]]
        if during:
            begin, end = during
            before = {row["copy"] for row in events if row["at"] < begin}
            events = [
                row for row in events if begin <= row["at"] < end and row["copy"] not in before
            ]
        named = [row for row in events if row["contact"] and row["verdict"] != "machine"]
        everybody = different_copies(events, *KINDS[code])
        return _contacts(named), len(everybody - {row["copy"] for row in named})
    if code in ("not_opened", "not_clicked"):
        return _silent(look, code.removeprefix("not_"))
    if code == "only_through_proxy":
        return _only_through_proxy(look)
    return _contacts(_copies_that_are(look, code)), 0


def _contacts(rows: list[Row]) -> set[int]:
    return {row["contact"] for row in rows}


def _silent(look: Look, code: str) -> tuple[set[int], int]:
    done, figure = look.copies_that(code), look.told[code]
    arrived = _copies_that_are(look, "delivered")
    known = [row for row in arrived if row["identified"] and row["id"] not in done]
    return _contacts(known), max(0, figure.of - figure.value - len(known))


def _only_through_proxy(look: Look) -> tuple[set[int], int]:
    by_people = look.in_scope(0).copies_that("opened")
    events = [row for row in look.in_scope(1).events if row["kind"] in KINDS["opened"]]
    events = [row for row in events if row["copy"] and row["copy"] not in by_people]
    named = [row for row in events if row["contact"]]
    anonymous = {row["copy"] for row in events} - {row["copy"] for row in named}
    return _contacts(named), len(anonymous)


def _copies_that_are(look: Look, code: str) -> list[Row]:
    if code in ("failed", "uncertain"):
        return look.in_state(code)
    sent = look.in_state("sent")
    wanted = {
        "sent": ("", "soft", "hard"),
        "delivered": ("",),
        "bounced": ("soft", "hard"),
        "hard_bounced": ("hard",),
        "soft_bounced": ("soft",),
    }[code]
    return [row for row in sent if bounce_of(look.world, row["id"]) in wanted]
