"""Random worlds of mailings and events, and a slow count over plain lists that judges the figures.

Nothing here may look at the code it judges: it follows what the documentation promises, one copy
after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from hypothesis import strategies as st

from tests.factories import make_contact, make_mailing
from wagtail_email_insights.contacts.models import Contact
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingContent,
)
from wagtail_email_insights.tracking import actions, ledger
from wagtail_email_insights.tracking.models import Event, TrackedLink

NEVER_STRIPPED = ("unsubscribe", "hard_bounce", "soft_bounce", "complaint", "reply", "delivered")
JUDGED = ("open", "click", "download", "web_view")
BEGAN = datetime(2026, 3, 27, 21, 30, tzinfo=UTC)
URLS = ("https://example.com/a", "https://example.com/b")
FILE = "/documents/7/prices.pdf"
SCOPES = {
    0: ("human", "suspected"),
    1: ("human", "suspected", "proxy"),
    2: ("human", "suspected", "proxy", "machine"),
}

copies = st.lists(
    st.tuples(
        st.sampled_from([*[DeliveryState.SENT.value] * 4, "failed", "uncertain", "skipped"]),
        st.integers(1, 2),
        st.booleans(),
    ),
    max_size=5,
)
sends = st.fixed_dictionaries(
    {
        "email": st.integers(0, 1),
        "state": st.sampled_from(["sent", "sent", "sending", "draft"]),
        "counting": st.sampled_from(["per_copy", "per_copy", "shared"]),
        "is_test": st.booleans(),
        "copies": copies,
    }
)
happenings = st.fixed_dictionaries(
    {
        "send": st.integers(0, 2),
        "kind": st.sampled_from([*JUDGED, "open", "click", "click", *NEVER_STRIPPED, "auto_reply"]),
        "who": st.sampled_from(["copy", "copy", "key", "key", "nobody"]),
        "number": st.integers(0, 4),
        "link": st.integers(0, 1),
        "verdict": st.sampled_from(["human", "human", "suspected", "machine", "proxy"]),
        "reason": st.sampled_from(["", "trap", "burst"]),
        "device": st.sampled_from(["", "phone", "desktop"]),
        "client": st.sampled_from(["", "Thunderbird"]),
        "minutes": st.one_of(st.integers(0, 3000), st.integers(0, 20000)),
        "why": st.sampled_from(["", "too_often", "other"]),
    }
)
worlds = st.fixed_dictionaries(
    {
        "sends": st.lists(sends, min_size=3, max_size=3),
        "happenings": st.lists(happenings, max_size=30),
        "batches": st.integers(1, 6),
        "leavers": st.lists(st.integers(0, 4), max_size=2, unique=True),
    }
)


@dataclass
class World:
    """What was built, and the same told in plain lists."""

    emails: list[Email] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    mailings: list[Mailing] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def started(self) -> list[Mailing]:
        return [mailing for mailing in self.mailings if mailing.state != "draft"]


def build(plan: dict[str, Any]) -> World:
    """Make the world: everything through the doors that the app itself uses."""
    world = World(
        emails=[Email.objects.create(title=name) for name in ("One", "Two")],
        contacts=[make_contact() for _ in range(5)],
    )
    links: list[dict[tuple[int, int | str], TrackedLink]] = []
    for send in plan["sends"]:
        mailing = _mailing(world, send)
        world.mailings.append(mailing)
        links.append(_links(mailing, send))
        _copies(world, mailing, send)
    for happening in plan["happenings"]:
        _happen(world, plan, links, happening)
    events = [_event(row) for row in world.events]
    for part in range(plan["batches"]):
        ledger.store(events[part :: plan["batches"]])
    for number in plan["leavers"]:
        actions.strip_contact(world.contacts[number])
        _forget(world, world.contacts[number])
    return world


def _mailing(world: World, send: dict[str, Any]) -> Mailing:
    started = None if send["state"] == "draft" else BEGAN
    mailing = make_mailing(
        world.emails[send["email"]], state=send["state"], started_at=started, finished_at=started
    )
    MailingContent.objects.create(mailing=mailing, anonymous_counting=send["counting"])
    return mailing


def _links(mailing: Mailing, send: dict[str, Any]) -> dict[tuple[int, int | str], TrackedLink]:
    found: dict[tuple[int, int | str], TrackedLink] = {}
    for variant in (1, 2) if send["is_test"] else (0,):
        for position, url in enumerate(URLS):
            found[variant, position] = TrackedLink.objects.create(
                mailing=mailing, variant=variant, position=position, url=url
            )
        found[variant, "file"] = TrackedLink.objects.create(
            mailing=mailing, variant=variant, position=2, url=FILE, document_id=7
        )
    return found


def _copies(world: World, mailing: Mailing, send: dict[str, Any]) -> None:
    for number, (state, of_test, identified) in enumerate(send["copies"]):
        variant = of_test if send["is_test"] else 0
        delivery = Delivery.objects.create(
            mailing=mailing,
            contact=world.contacts[number],
            state=state,
            variant=variant,
            identified=identified,
            settled_at=timezone.now(),
        )
        world.copies.append(
            {
                "id": delivery.pk,
                "mailing": mailing.pk,
                "contact": world.contacts[number].pk,
                "state": state,
                "variant": variant,
                "identified": identified,
                "told_apart": identified or send["counting"] == "per_copy",
                "per_copy": send["counting"] == "per_copy",
            }
        )


def _happen(world: World, plan: dict[str, Any], links: Any, it: dict[str, Any]) -> None:
    send, mailing = plan["sends"][it["send"]], world.mailings[it["send"]]
    kind, whose = it["kind"], [row for row in world.copies if row["mailing"] == mailing.pk]
    contact, copy, variant = None, None, (1 + it["number"] % 2 if send["is_test"] else 0)
    if it["who"] == "copy" or kind not in JUDGED:
        if it["number"] >= len(whose):
            return
        row = whose[it["number"]]
        if kind in JUDGED and not row["identified"]:
            return
        contact, copy, variant = row["contact"], row["id"], row["variant"]
    elif it["who"] == "key":
        copy = -(mailing.pk * 1000 + it["number"] + 1)
    link = None
    if kind in ("click", "download"):
        link = links[it["send"]][variant, it["link"] if kind == "click" else "file"]
    world.events.append(
        {
            "mailing": mailing.pk,
            "kind": kind,
            "contact": contact,
            "copy": copy,
            "variant": variant,
            "url": link.url if link else None,
            "link": link,
            "verdict": it["verdict"] if kind in JUDGED else "human",
            "reason": it["reason"] if kind in JUDGED else "",
            "device": it["device"] if kind in JUDGED else "",
            "client": it["client"] if kind in JUDGED else "",
            "why": it["why"] if kind == "unsubscribe" else "",
            "at": BEGAN + timedelta(minutes=it["minutes"]),
        }
    )


def _event(row: dict[str, Any]) -> Event:
    same = ("kind", "copy", "variant", "verdict", "device", "client", "why", "at", "link")
    return Event(
        mailing_id=row["mailing"],
        contact_id=row["contact"],
        verdict_reason=row["reason"],
        **{name: row[name] for name in same},
    )


def _forget(world: World, contact: Contact) -> None:
    """Take a contact's name off what they did; each copy keeps being one copy."""
    for row in world.copies:
        if row["contact"] == contact.pk:
            row["identified"] = False
            row["told_apart"] = row["per_copy"]
    for row in world.events:
        if row["contact"] == contact.pk and row["kind"] in JUDGED:
            row["contact"], row["copy"] = None, f"{contact.pk} in {row['mailing']}"


def seen(world: World, mailings: list[Mailing], scope: int) -> list[dict[str, Any]]:
    """The events of *mailings* whose verdict lies in *scope*."""
    ids = {mailing.pk for mailing in mailings}
    return [
        row for row in world.events if row["mailing"] in ids and row["verdict"] in SCOPES[scope]
    ]


def different_copies(events: list[dict[str, Any]], *kinds: str) -> set[Any]:
    """The copies that show any of *kinds*; none for events that belong to no copy."""
    return {row["copy"] for row in events if row["kind"] in kinds and row["copy"] is not None}


def times(events: list[dict[str, Any]], kind: str) -> int:
    return sum(row["kind"] == kind for row in events)


def slow_count(world: World, mailings: list[Mailing], scope: int = 1) -> dict[str, tuple]:
    """Each figure as (value, denominator, total), by its code."""
    ids = {mailing.pk for mailing in mailings}
    events = seen(world, mailings, scope)
    audience = [row for row in world.copies if row["mailing"] in ids]
    sent = [row for row in audience if row["state"] == "sent"]
    attempted = [row for row in audience if row["state"] != "skipped"]
    came_back = {row["id"]: _bounce(events, row["id"]) for row in sent}
    arrived = [row for row in sent if not came_back[row["id"]]]
    told_apart = sum(row["told_apart"] for row in arrived)
    opened = different_copies(events, "open", "click", "download")
    clicked = different_copies(events, "click")

    def of_readers(kind: str) -> tuple:
        return len(different_copies(events, kind)), told_apart, times(events, kind)

    def of_delivered(kind: str, total: int | None = None) -> tuple:
        return len(different_copies(events, kind)), len(arrived), total

    return {
        "sent": (len(sent), len(attempted), None),
        "delivered": (len(arrived), len(sent), None),
        "opened": (len(opened), told_apart, times(events, "open")),
        "clicked": of_readers("click"),
        "click_to_open": (len(clicked), len(opened), None),
        "unsubscribed": of_delivered("unsubscribe"),
        "bounced": (len(sent) - len(arrived), len(sent), None),
        "complained": of_delivered("complaint"),
        "replied": of_delivered("reply", times(events, "reply")),
        "downloaded": of_readers("download"),
        "viewed": of_readers("web_view"),
    }


def _bounce(events: list[dict[str, Any]], copy: int) -> str:
    kinds = {row["kind"] for row in events if row["copy"] == copy}
    if "hard_bounce" in kinds:
        return "hard"
    return "soft" if "soft_bounce" in kinds and "delivered" not in kinds else ""


def hard_bounces(world: World, mailings: list[Mailing]) -> int:
    ids, events = {mailing.pk for mailing in mailings}, seen(world, mailings, 2)
    return sum(
        row["state"] == "sent" and _bounce(events, row["id"]) == "hard"
        for row in world.copies
        if row["mailing"] in ids
    )
