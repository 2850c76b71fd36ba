"""From frozen content to finished bytes: compiled once, only the slots filled in per copy.

Everything that differs between two copies is a merge tag by the time it gets here: the contact's
own words, ``{{ unsubscribe_url }}`` and what ``slots`` knows. Compiling cuts the message into fixed
byte pieces and such slots; filling joins them. The bodies are quoted-printable
(RFC 2045, section 6.7), whose soft line breaks let each piece be encoded by itself.
"""

from __future__ import annotations

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
from .skeleton import Skeleton, list_id
from .slots import Slots, anonymous_slots, filled, identified_slots, texts


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
        self._subject = parse(content.subject)
        links = list(links)
        self._known = Skeleton(content, self.domain, identified_slots(content, links))
        self._anonymous = Skeleton(content, self.domain, anonymous_slots(content, links))

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

    def _envelope_from(self, copy: Copy) -> str:
        """Return the return path: with a bounce address, one that names the copy (VERP)."""
        local, at, domain = self.content.bounce_address.rpartition("@")
        if not at:
            return self.from_address
        return f"{local}+{tokens.make_caseless(Kind.MESSAGE, copy.delivery_id)}@{domain}"

    def _parts(self, words: Mapping[str, str], slots: Slots, key: bytes) -> dict[str, object]:
        """Return what API backends take apart: the same copy, not yet encoded."""
        values = {**words, **texts(slots, key)}
        return {
            "subject": words["subject"],
            "from_email": self.content.from_email,
            "reply_to": [self.content.reply_to] if self.content.reply_to else [],
            "body": filled(self.content.text, values, escape=False),
            "html": filled(self.content.html, values, escape=True),
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


def _value(piece: str | MergeTag, values: Mapping[str, str]) -> str:
    return piece.value(values) if isinstance(piece, MergeTag) else piece
