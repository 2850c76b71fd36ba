"""From frozen content to finished bytes: compiled once, only the slots filled in per copy.

Everything that differs between two copies is a merge tag by the time it gets here: the contact's
own words, ``{{ unsubscribe_url }}``, ``{{ open_pixel }}`` and ``{{ link_N }}``. Compiling cuts the
message into fixed byte pieces and such slots; filling joins them. The bodies are quoted-printable
(RFC 2045, section 6.7), whose soft line breaks let each piece be encoded by itself.
"""

from __future__ import annotations

import binascii
import html as entities
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.utils import format_datetime, parseaddr

from django.urls import reverse

from .. import tokens
from ..emails.merge_tags import MergeTag, parse
from ..mail import ReadyMessage, envelope_address
from ..mailings.models import MailingContent
from ..tokens import Kind
from ..tracking.models import TrackedLink

Values = Mapping[str, str]
Piece = bytes | Callable[[Values], bytes]

OPEN_PIXEL = MergeTag("open_pixel")
PIXEL = '<img src="{}" width="1" height="1" alt="" style="border:0">'

_BOUNDARY = "=_wagtail_email_insights_{}"
_TOKEN = "TOKEN"  # noqa: S105  a placeholder in an address
# What quoted-printable leaves alone, short enough to stand on a line of its own.
_PLAIN = re.compile(r"[A-Za-z0-9 !-/:;<>?@\[\]^_`{|}~]{1,70}(?<! )")


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
        self._addresses = _Addresses(content.base_url)
        self._links = [(f"link_{link.position}", link.pk, link.url) for link in links]
        self._subject = parse(content.subject)
        self._pieces = _joined(_head(self) + _body(content))

    @property
    def subject_varies(self) -> bool:
        return any(isinstance(piece, MergeTag) for piece in self._subject)

    def message(self, copy: Copy, *, now: datetime) -> ReadyMessage:
        """Return the finished message for one copy; raises mail.InvalidAddress."""
        values = self._values(copy, now)
        raw = b"".join(
            piece if isinstance(piece, bytes) else piece(values) for piece in self._pieces
        )
        return ReadyMessage(
            raw=raw,
            envelope_from=self._envelope_from(copy),
            to=copy.address,
            parts=lambda: self._parts(values),
        )

    def _parts(self, values: Values) -> dict[str, object]:
        """Return what API backends take apart: the same copy, not yet encoded."""
        return {
            "subject": values["subject"],
            "from_email": self.content.from_email,
            "reply_to": [self.content.reply_to] if self.content.reply_to else [],
            "body": _filled(self.content.text, values, escape=False),
            "html": _filled(self.content.html, values, escape=True),
            "headers": {
                "Message-ID": values["message_id"],
                "List-Id": list_id(self.content, self.domain),
                "List-Unsubscribe": f"<{values['one_click_url']}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        }

    def _envelope_from(self, copy: Copy) -> str:
        """Return the return path: with a bounce address, one that names the copy (VERP)."""
        local, at, domain = self.content.bounce_address.rpartition("@")
        if not at:
            return self.from_address
        return f"{local}+{tokens.make_caseless(Kind.MESSAGE, copy.delivery_id)}@{domain}"

    def _values(self, copy: Copy, now: datetime) -> dict[str, str]:
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
            **self._tracked(copy),
        }

    def _tracked(self, copy: Copy) -> dict[str, str]:
        if not copy.identified and self.content.anonymous_counting == "off":
            return {name: url for name, _pk, url in self._links}
        click = Kind.CLICK if copy.identified else Kind.CLICK_ANONYMOUS
        opened = Kind.OPEN if copy.identified else Kind.OPEN_ANONYMOUS
        links = {
            name: self._addresses.click(tokens.make(click, pk, copy.key))
            for name, pk, _url in self._links
        }
        open_token = tokens.make(opened, self.content.mailing_id, copy.key, self.content.variant)
        return links | {OPEN_PIXEL.name: PIXEL.format(self._addresses.open(open_token))}


def message_token(delivery_id: int) -> str:
    """Return the left part of a copy's Message-ID: the same for every attempt at that copy."""
    return tokens.make(Kind.MESSAGE, delivery_id)


def list_id(content: MailingContent, domain: str) -> str:
    """Return the List-Id (RFC 2919) under which mail programs gather the sender's newsletters."""
    return f"<newsletter.{domain}>"


class _Addresses:
    """Absolute addresses of our endpoints around a token, resolved once per mailing."""

    def __init__(self, base_url: str) -> None:
        def around(name: str) -> Callable[[str], str]:
            path = reverse(f"wagtail_email_insights:{name}", args=[_TOKEN])
            before, _, after = (base_url.rstrip("/") + path).rpartition(_TOKEN)
            return lambda token: f"{before}{token}{after}"

        self.click = around("click")
        self.open = around("open")
        self.unsubscribe = around("unsubscribe")
        self.one_click = around("unsubscribe_one_click")


def _head(compiled: Compiled) -> list[Piece]:
    content = compiled.content
    pieces: list[Piece] = [_header("From", content.from_email)]
    if content.reply_to:
        pieces.append(_header("Reply-To", content.reply_to))
    if compiled.subject_varies:
        pieces.append(lambda values: _header("Subject", values["subject"]))
    else:
        pieces.append(_header("Subject", content.subject))
    pieces += [
        lambda values: f"To: {values['to']}\r\n".encode("ascii"),
        lambda values: f"Date: {values['date']}\r\n".encode("ascii"),
        lambda values: f"Message-ID: {values['message_id']}\r\n".encode("ascii"),
        _header("List-Id", list_id(content, compiled.domain)),
        lambda values: f"List-Unsubscribe: <{values['one_click_url']}>\r\n".encode("ascii"),
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        # Google's feedback loop groups complaints by these; the last part names the sender.
        f"Feedback-ID: {content.mailing_id}:{content.variant}:newsletter:wagtail\r\n".encode(),
        b"MIME-Version: 1.0\r\n",
    ]
    return pieces


def _body(content: MailingContent) -> list[Piece]:
    boundary = _BOUNDARY.format(content.mailing_id).encode()
    opening = b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n\r\n'
    return [
        opening,
        *_part(boundary, "plain", content.text, escape=False),
        *_part(boundary, "html", content.html, escape=True),
        b"--" + boundary + b"--\r\n",
    ]


def _part(boundary: bytes, subtype: str, text: str, *, escape: bool) -> list[Piece]:
    head = (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()
    return [b"--" + boundary + b"\r\n" + head, *_slotted(text, escape=escape), b"\r\n"]


def _slotted(text: str, *, escape: bool) -> Iterable[Piece]:
    for piece in parse(text):
        if isinstance(piece, MergeTag):
            yield _slot(piece, escape=escape)
        else:
            yield _quoted_printable(piece)


def _slot(tag: MergeTag, *, escape: bool) -> Callable[[Values], bytes]:
    encode = entities.escape if escape and tag != OPEN_PIXEL else str

    def fill(values: Values) -> bytes:
        # Soft line breaks on both sides keep every line short, whatever stands around the slot.
        return b"=\r\n" + _quoted_printable(encode(tag.value(values))) + b"=\r\n"

    return fill


def _filled(text: str, values: Values, *, escape: bool) -> str:
    def encode(tag: MergeTag) -> str:
        value = tag.value(values)
        return entities.escape(value) if escape and tag != OPEN_PIXEL else value

    return "".join(encode(piece) if isinstance(piece, MergeTag) else piece for piece in parse(text))


def _quoted_printable(text: str) -> bytes:
    if _PLAIN.fullmatch(text) and not text.startswith("."):
        return text.encode("ascii")
    lines = re.sub(r"\r\n?", "\n", text).encode("utf-8", "replace")
    return binascii.b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")


def _header(name: str, value: str) -> bytes:
    """Return one header line, folded and encoded as RFC 5322 and RFC 2047 want it."""
    one_line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", value).split())
    return policy.SMTP.fold(name, policy.SMTP.header_factory(name, one_line)).encode("ascii")


def _value(piece: str | MergeTag, values: Values) -> str:
    return piece.value(values) if isinstance(piece, MergeTag) else piece


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Return *pieces* with neighbouring fixed ones joined: fewer to go through per copy."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and isinstance(piece, bytes) and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined
