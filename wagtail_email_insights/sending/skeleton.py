"""The bytes of a message as they go over the wire, with gaps for what differs per copy.

A skeleton is a list of fixed byte pieces and slots. It already holds the doubled dots at the
start of lines and the final dot that SMTP wants (RFC 5321, section 4.5.2), so that nothing has to
look at the whole message again.
"""

from __future__ import annotations

import binascii
import html as entities
import re
from collections.abc import Callable, Iterator, Mapping
from email import policy

from ..emails.merge_tags import MergeTag, parse
from ..mailings.models import MailingContent
from .slots import Slots, TokenSlot

Words = Mapping[str, str]
SOFT_BREAK = b"=\r\n"
SHORT = 76
"""A header that is shorter, and ASCII, needs no folding and no encoding."""
_BOUNDARY = "=_wagtail_email_insights_{}"
# What quoted-printable leaves alone, short enough to stand on a line of its own.
_PLAIN = re.compile(r"[A-Za-z0-9 !-/:;<>?@\[\]^_`{|}~]{1,70}(?<! )")


WordSlot = Callable[[Words], bytes]
Piece = bytes | TokenSlot | WordSlot


class Skeleton:
    """A message with gaps; *slots* says what stands for links, pixel and what else is tracked."""

    def __init__(self, content: MailingContent, domain: str, slots: Slots) -> None:
        self.slots = slots
        self._template: list[bytes] = []
        # A link stands in both bodies, often more than once there; it is signed once per copy.
        self._tokens: dict[TokenSlot, list[int]] = {}
        self._words: list[tuple[int, WordSlot]] = []
        for piece in _joined([*_head(content, domain), *_body(content, slots)]):
            self._add(piece)

    def fill(self, words: Words, key: bytes) -> bytes:
        """Return the message of one copy, dots doubled and final dot included."""
        pieces = self._template.copy()
        for slot, indexes in self._tokens.items():
            token = slot.token(key)
            for index in indexes:
                pieces[index] = token
        for index, fill in self._words:
            pieces[index] = fill(words)
        return b"".join(pieces)

    def _add(self, piece: Piece) -> None:
        index = len(self._template)
        self._template.append(piece if isinstance(piece, bytes) else b"")
        if isinstance(piece, TokenSlot):
            self._tokens.setdefault(piece, []).append(index)
        elif not isinstance(piece, bytes):
            self._words.append((index, piece))


def list_id(domain: str) -> str:
    """Return the List-Id (RFC 2919) under which mail programs gather the sender's newsletters."""
    return f"<newsletter.{domain}>"


def header(name: str, value: str) -> bytes:
    """Return one header line, folded and encoded as RFC 5322 and RFC 2047 want it."""
    one_line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", value).split())
    if one_line.isascii() and len(name) + len(one_line) < SHORT and "=?" not in one_line:
        return f"{name}: {one_line}\r\n".encode("ascii")
    return policy.SMTP.fold(name, policy.SMTP.header_factory(name, one_line)).encode("ascii")


def _head(content: MailingContent, domain: str) -> Iterator[Piece]:
    yield header("From", content.from_email)
    if content.reply_to:
        yield header("Reply-To", content.reply_to)
    if any(isinstance(piece, MergeTag) for piece in parse(content.subject)):
        yield lambda words: header("Subject", words["subject"])
    else:
        yield header("Subject", content.subject)
    yield lambda words: (
        f"To: {words['to']}\r\n"
        f"Date: {words['date']}\r\n"
        f"Message-ID: {words['message_id']}\r\n"
        f"List-Unsubscribe: <{words['one_click_url']}>\r\n"
    ).encode("ascii")
    yield b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    yield header("List-Id", list_id(domain))
    # Google's feedback loop groups complaints by these; the last part names the sender.
    yield f"Feedback-ID: {content.mailing_id}:{content.variant}:newsletter:wagtail\r\n".encode()
    yield b"MIME-Version: 1.0\r\n"


def _body(content: MailingContent, slots: Slots) -> Iterator[Piece]:
    boundary = _BOUNDARY.format(content.mailing_id).encode()
    yield b'Content-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n\r\n'
    for subtype, text in (("plain", content.text), ("html", content.html)):
        yield b"--" + boundary + b"\r\n"
        yield f'Content-Type: text/{subtype}; charset="utf-8"\r\n'.encode()
        yield b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        yield from _text(text, slots, escape=subtype == "html")
        yield b"\r\n"
    yield b"--" + boundary + b"--\r\n.\r\n"


def _text(text: str, slots: Slots, *, escape: bool) -> Iterator[Piece]:
    """Yield one body; soft line breaks around every slot keep lines short whatever is put in."""
    for piece in parse(text):
        if isinstance(piece, str):
            yield _stuffed(_quoted_printable(piece))
            continue
        slot = slots.get(piece.name)
        is_markup = isinstance(slot, TokenSlot) and slot.is_markup
        encode = entities.escape if escape and not is_markup else str
        yield SOFT_BREAK
        if isinstance(slot, TokenSlot):
            yield _stuffed(_quoted_printable(encode(slot.before))) + SOFT_BREAK
            yield slot
            yield SOFT_BREAK + _stuffed(_quoted_printable(encode(slot.after)))
        elif slot is not None:
            yield _stuffed(_quoted_printable(encode(slot)))
        else:
            yield _word_slot(piece, encode)
        yield SOFT_BREAK


def _word_slot(tag: MergeTag, encode: Callable[[str], str]) -> WordSlot:
    return lambda words: _stuffed(_quoted_printable(encode(tag.value(words))))


def _quoted_printable(text: str) -> bytes:
    if _PLAIN.fullmatch(text):
        return text.encode("ascii")
    lines = re.sub(r"\r\n?", "\n", text).encode("utf-8", "replace")
    # The "=" at the end becomes "=3D", which nothing splits: taken off again, it leaves room on the
    # last line for a soft line break, and for a blank that must not stand at the end of a line.
    encoded = binascii.b2a_qp(lines + b"=", istext=True)[: -len(b"=3D")]
    if encoded.endswith((b" ", b"\t")):
        encoded = encoded[:-1] + b"=%02X" % encoded[-1]
    return encoded.replace(b"\n", b"\r\n")


def _stuffed(piece: bytes) -> bytes:
    """Double the dots that start a line; every piece starts one."""
    doubled = piece.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Return *pieces* with neighbouring fixed ones joined: fewer to go through per copy."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and isinstance(piece, bytes) and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined
