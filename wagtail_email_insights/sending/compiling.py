"""From frozen content to finished bytes: compiled once, only the slots filled in per copy.

Everything that differs between two copies is a merge tag by the time it gets here: the contact's
own words, ``{{ unsubscribe_url }}``, ``{{ open_pixel }}`` and ``{{ link_N }}``. Compiling cuts the
message into fixed byte pieces and such slots; filling joins them. The bodies are quoted-printable
(RFC 2045, section 6.7), whose soft line breaks let each piece be encoded by itself.
"""

from __future__ import annotations

import html as entities
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr

from .. import tokens
from ..emails.merge_tags import MergeTag, parse
from ..mail import ReadyMessage, envelope_address
from ..mailings.models import MailingContent
from ..tokens import Kind
from ..tracking.models import TrackedLink
from .addresses import Addresses
from .skeleton import Skeleton, TokenSlot, list_id

OPEN_PIXEL = MergeTag("open_pixel")
PIXEL = '<img src="{}" width="1" height="1" alt="" style="border:0">'


@dataclass(frozen=True, slots=True)
class Copy:
    """What one copy needs to know: whose it is and by which number its links are told apart.

    ``key`` is the delivery's id when *identified*, else a random number that is stored nowhere,
    or 0 where all anonymous copies share one token.
    """

    delivery_id: int
    address: str
    first_name: str
    last_name: str
    identified: bool
    key: int
    variant: int = 0


class Compiled:
    """A message with everything done that need not be done per copy."""

    def __init__(self, content: MailingContent, links: Iterable[TrackedLink]) -> None:
        self.content = content
        self.from_address = parseaddr(content.from_email)[1]
        self.domain = self.from_address.rpartition("@")[2]
        self._addresses = Addresses(content.base_url)
        self._links = list(links)
        self._subject = parse(content.subject)
        self._known = Skeleton(content, self.domain, self._slots(Kind.CLICK, Kind.OPEN))
        self._anonymous = Skeleton(content, self.domain, self._anonymous_slots())

    def message(self, copy: Copy, *, now: datetime) -> ReadyMessage:
        """Return the finished message for one copy; raises mail.InvalidAddress."""
        words = self._words(copy, now)
        skeleton = self._known if copy.identified else self._anonymous
        key = tokens.values(copy.key)
        return ReadyMessage(
            wire=skeleton.fill(words, key),
            envelope_from=self._envelope_from(copy),
            to=copy.address,
            parts=lambda: self._parts(words, skeleton.slots, key),
        )

    def _words(self, copy: Copy, now: datetime) -> dict[str, str]:
        """Return what stands in the slots of this copy, tracked links left out."""
        contact = {
            "first_name": copy.first_name,
            "last_name": copy.last_name,
            "name": f"{copy.first_name} {copy.last_name}".strip(),
            "email": copy.address,
        }
        unsubscribe = tokens.make(Kind.UNSUBSCRIBE, copy.delivery_id)
        return contact | {
            "subject": "".join(_value(piece, contact) for piece in self._subject),
            "to": envelope_address(copy.address),
            "date": format_datetime(now),
            "message_id": f"<{message_token(copy.delivery_id)}@{self.domain}>",
            "unsubscribe_url": self._addresses.unsubscribe(unsubscribe),
            "one_click_url": self._addresses.one_click(unsubscribe),
        }

    def _slots(self, click: Kind, opened: Kind) -> dict[str, TokenSlot | str]:
        """Return what stands for each link and the pixel: an address around a token."""
        links: dict[str, TokenSlot | str] = {
            f"link_{link.position}": TokenSlot(
                tokens.Maker(click, link.pk), *self._addresses.around("click")
            )
            for link in self._links
        }
        before, after = PIXEL.format("\0".join(self._addresses.around("open"))).split("\0")
        maker = tokens.Maker(opened, self.content.mailing_id)
        variant = tokens.values(self.content.variant)
        return links | {OPEN_PIXEL.name: TokenSlot(maker, before, after, variant, is_markup=True)}

    def _anonymous_slots(self) -> dict[str, TokenSlot | str]:
        if self.content.anonymous_counting != "off":
            return self._slots(Kind.CLICK_ANONYMOUS, Kind.OPEN_ANONYMOUS)
        plain: dict[str, TokenSlot | str] = {
            f"link_{link.position}": link.url for link in self._links
        }
        return plain | {OPEN_PIXEL.name: ""}

    def _envelope_from(self, copy: Copy) -> str:
        """Return the return path: with a bounce address, one that names the copy (VERP)."""
        local, at, domain = self.content.bounce_address.rpartition("@")
        if not at:
            return self.from_address
        return f"{local}+{tokens.make_caseless(Kind.MESSAGE, copy.delivery_id)}@{domain}"

    def _parts(
        self, words: Mapping[str, str], slots: Mapping[str, TokenSlot | str], key: bytes
    ) -> dict[str, object]:
        """Return what API backends take apart: the same copy, not yet encoded."""
        values = {name: str(value) for name, value in words.items()}
        for name, slot in slots.items():
            values[name] = slot if isinstance(slot, str) else slot.text(key)
        return {
            "subject": words["subject"],
            "from_email": self.content.from_email,
            "reply_to": [self.content.reply_to] if self.content.reply_to else [],
            "body": _filled(self.content.text, values, escape=False),
            "html": _filled(self.content.html, values, escape=True),
            # What django-anymail hands to providers and gets back with every event.
            "metadata": {"copy": words["message_id"].strip("<>").partition("@")[0]},
            "headers": {
                "Message-ID": words["message_id"],
                "List-Id": list_id(self.domain),
                "List-Unsubscribe": f"<{words['one_click_url']}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        }


def message_token(delivery_id: int) -> str:
    """Return the left part of a copy's Message-ID: the same for every attempt at that copy."""
    return tokens.make(Kind.MESSAGE, delivery_id)


def _filled(text: str, values: Mapping[str, str], *, escape: bool) -> str:
    def encode(tag: MergeTag) -> str:
        value = tag.value(values)
        return entities.escape(value) if escape and tag != OPEN_PIXEL else value

    return "".join(encode(piece) if isinstance(piece, MergeTag) else piece for piece in parse(text))


def _value(piece: str | MergeTag, values: Mapping[str, str]) -> str:
    return piece.value(values) if isinstance(piece, MergeTag) else piece
