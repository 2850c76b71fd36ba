"""Random worlds of mailings and events, and a slow count over plain lists that judges the figures.

Nothing here may look at the code it judges: it follows what the documentation promises, one copy
after the other.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from hypothesis import strategies as st

from tests.factories import make_contact, make_list, make_mailing
from wagtail_email_insights.contacts.models import Contact, Subscription
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingContent,
)
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.tracking import actions, ledger
from wagtail_email_insights.tracking.models import Event, TrackedLink

NEVER_STRIPPED = ("unsubscribe", "hard_bounce", "soft_bounce", "complaint", "reply", "delivered")
JUDGED = ("open", "click", "download", "web_view")
BEGAN = datetime(2026, 3, 27, 21, 30, tzinfo=UTC)
URLS = ("https://example.com/a", "https://example.com/b")
FILE = "/documents/7/prices.pdf"
LANGUAGES = ("de", "en", "", "de", "en")
"""Of each contact; "" where nobody noted it."""

LISTS = {"News": (0, 1, 2), "Offers": (1, 3), "Nobody": ()}
"""The contacts on each list when their copy was sent."""

LISTS_TODAY = {"News": (0, 1), "Offers": (0, 1, 3), "Nobody": ()}
"""One has left since, one has come, and one had left before."""

BODY = "<html><head></head><body>{}</body></html>".format(
    "".join(f'<a href="{{{{ link_{position} }}}}">Here</a>' for position in range(3))
)
SCOPES = {
    0: ("human", "suspected"),
    1: ("human", "suspected", "proxy"),
    2: ("human", "suspected", "proxy", "machine"),
}

copies = st.lists(
    st.tuples(
        st.sampled_from([*[DeliveryState.SENT.value] * 8, *DeliveryState.values]),
        st.integers(1, 2),
        st.booleans(),
    ),
    max_size=5,
)
sends = st.fixed_dictionaries(
    {
        "email": st.integers(0, 1),
        "state": st.sampled_from(["sent", "sent", "sent", "sending", "draft", "cancelled"]),
        "counting": st.sampled_from(["per_copy", "per_copy", "shared", "off"]),
        "day": st.integers(0, 3),
        "is_test": st.booleans(),
        "has_file": st.booleans(),
        "copies": copies,
    }
)
CHOICES = {
    "send": [0, 1, 2],
    "kind": [*JUDGED, "open", "click", "click", *NEVER_STRIPPED, "auto_reply"],
    "who": ["copy", "copy", "key", "key", "nobody"],
    "number": [0, 1, 2, 3, 4],
    "link": [0, 1],
    "verdict": ["human", "human", "suspected", "machine", "proxy"],
    "reason": ["", "trap", "burst"],
    "device": ["", "phone", "desktop"],
    "client": ["", "Thunderbird"],
    "why": ["", "too_often", "other"],
}
"""What can happen; an earlier choice is a simpler one."""

happenings = st.fixed_dictionaries(
    {name: st.sampled_from(choices) for name, choices in CHOICES.items()}
    | {"minutes": st.one_of(st.integers(0, 3000), st.integers(0, 20000))}
)


def worlds_with(least: int) -> st.SearchStrategy[dict[str, Any]]:
    """Plans of worlds in which at least so many things happen."""
    return st.fixed_dictionaries(
        {
            "sends": st.lists(sends, min_size=3, max_size=3),
            "happenings": st.lists(happenings, min_size=least, max_size=least + 30),
            "batches": st.integers(1, 6),
            "leavers": st.lists(st.integers(0, 4), max_size=2, unique=True),
        }
    )


worlds = worlds_with(0)
busy_worlds = worlds_with(20)


def full_world() -> dict[str, Any]:
    """The plan of a world in which much happens, so that hardly two numbers are the same."""
    chance = random.Random(36)
    common = {"state": "sent", "counting": "per_copy", "is_test": False, "has_file": True}
    return {
        "sends": [
            common | {"email": 0, "day": 0, "is_test": True, "copies": _five("failed", "sent")},
            common
            | {"email": 0, "day": 2, "state": "sending", "copies": _five("sent", "queued")}
            | {"counting": "shared"},
            common | {"email": 1, "day": 2, "has_file": False, "copies": _five("sent", "sent")},
        ],
        "happenings": [
            {name: chance.choice(choices) for name, choices in CHOICES.items()}
            | {"minutes": chance.randrange(20000)}
            for _number in range(120)
        ],
        "batches": 3,
        "leavers": [2],
    }


def _five(fourth: str, fifth: str) -> list[tuple[str, int, bool]]:
    states = ("sent", "sent", "sent", fourth, fifth)
    return [(state, 1 + number % 2, number < 3) for number, state in enumerate(states)]


@dataclass
class World:
    """What was built, and the same told in plain lists."""

    emails: list[Email] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    mailings: list[Mailing] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    with_file: set[int] = field(default_factory=set)

    @property
    def started(self) -> list[Mailing]:
        return [mailing for mailing in self.mailings if mailing.state != "draft"]

    def sent_of(self, email: Email) -> list[Mailing]:
        return [mailing for mailing in self.started if mailing.email_id == email.pk]


def build(
    plan: dict[str, Any], glance: Callable[[list[Mailing]], Any] = lambda mailings: None
) -> World:
    """Make the world: everything through the doors that the app itself uses.

    *glance* is called with all mailings again and again meanwhile: who looks changes nothing.
    """
    world = World(
        emails=[Email.objects.create(title=name) for name in ("One", "Two")],
        contacts=[make_contact(language=language) for language in LANGUAGES],
    )
    _lists_and_segments(world)
    links: list[dict[tuple[int, int | str], TrackedLink]] = []
    for send in plan["sends"]:
        mailing = _mailing(world, send)
        world.mailings.append(mailing)
        world.with_file |= {mailing.pk} if send["has_file"] else set()
        links.append(_links(mailing, send))
        _copies(world, mailing, send)
    for happening in plan["happenings"]:
        _happen(world, plan, links, happening)
    events = [_event(row) for row in world.events]
    for part in range(plan["batches"]):
        glance(world.mailings)
        ledger.store(events[part :: plan["batches"]])
    for number in plan["leavers"]:
        glance(world.mailings)
        actions.strip_contact(world.contacts[number])
        _forget(world, world.contacts[number])
    return world


def _lists_and_segments(world: World) -> None:
    """For each list a segment of those who are on it today."""
    now = timezone.now()
    earlier, later = now - timedelta(days=9), now + timedelta(days=9)
    for name, then in LISTS.items():
        chosen = make_list(name)
        on_it = {"type": "on_list", "value": {"negate": False, "recipient_list": chosen.pk}}
        Segment.objects.create(name=f"On {name}", conditions=[on_it])
        today = LISTS_TODAY[name]
        Subscription.objects.bulk_create(
            Subscription(
                contact=contact,
                recipient_list=chosen,
                status="subscribed" if number in today else "unsubscribed",
                created_at=later if number in today and number not in then else earlier,
                changed_at=later if number in then and number not in today else earlier,
            )
            for number, contact in enumerate(world.contacts)
        )


def _mailing(world: World, send: dict[str, Any]) -> Mailing:
    started = None if send["state"] == "draft" else BEGAN + timedelta(days=send["day"])
    mailing = make_mailing(
        world.emails[send["email"]], state=send["state"], started_at=started, finished_at=started
    )
    for variant in variants_of(send):
        MailingContent.objects.create(
            mailing=mailing, variant=variant, anonymous_counting=send["counting"], html=BODY
        )
    return mailing


def variants_of(send: dict[str, Any]) -> tuple[int, ...]:
    return (1, 2) if send["is_test"] else (0,)


def _links(mailing: Mailing, send: dict[str, Any]) -> dict[tuple[int, int | str], TrackedLink]:
    found: dict[tuple[int, int | str], TrackedLink] = {}
    for variant in variants_of(send):
        for position, url in enumerate(URLS):
            found[variant, position] = TrackedLink.objects.create(
                mailing=mailing, variant=variant, position=position, url=url
            )
        if send["has_file"]:
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
    elif it["who"] == "key" and send["counting"] == "per_copy":
        copy = -(mailing.pk * 1000 + it["number"] + 1)
    link = None
    if kind == "download" and not send["has_file"]:
        return
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
    arrived = [row for row in sent if not bounce_of(world, row["id"])]
    told_apart = sum(row["told_apart"] for row in arrived)
    offered = sum(row["told_apart"] for row in arrived if row["mailing"] in world.with_file)
    opened = different_copies(events, "open", "click", "download")
    clicked = different_copies(events, "click")

    def of_readers(kind: str, readers: int = told_apart) -> tuple:
        return len(different_copies(events, kind)), readers, times(events, kind)

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
        "downloaded": of_readers("download", offered),
        "viewed": of_readers("web_view"),
    }


def bounce_of(world: World, copy: int) -> str:
    """How a sent copy came back, "hard" or "soft"; "" for one that arrived or was read."""
    events = [row for row in world.events if row["copy"] == copy]
    kinds = {row["kind"] for row in events}
    if any(row["kind"] in JUDGED and row["verdict"] != "machine" for row in events):
        return ""
    if "hard_bounce" in kinds:
        return "hard"
    return "soft" if "soft_bounce" in kinds and "delivered" not in kinds else ""


def hard_bounces(world: World, mailings: list[Mailing]) -> int:
    ids = {mailing.pk for mailing in mailings}
    return sum(
        row["state"] == "sent" and bounce_of(world, row["id"]) == "hard"
        for row in world.copies
        if row["mailing"] in ids
    )
