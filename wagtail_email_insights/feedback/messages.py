"""Reading a hostile mail: linear in its size, bounded in depth, never raising.

The standard library's parser recurses once per nested part and asks every open part about each
line, so a crafted megabyte can exhaust stack or patience. A report needs little of MIME; that
little is here, and whatever is malformed is taken as plain text.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from functools import cached_property

from .markup import words_of

MAX_BYTES = 1_000_000
MAX_PARTS = 50
MAX_DEPTH = 6
MAX_HEADERS = 300
MAX_HEADER = 4_000

_BOUNDARY = re.compile(r'boundary\s{0,9}=\s{0,9}(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.I)
_CHARSET = re.compile(r'charset\s{0,9}=\s{0,9}"?([\w.:-]{1,40})', re.I)
_HEADER = re.compile(r"([!-9;-~]{1,100})[ \t]{0,9}:(.*)", re.S)
_BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_BREAKS = re.compile(r"\r\n?")
# Only charsets of mail: some codecs that Python knows beside them take quadratic time.
_MAIL_CHARSET = re.compile(
    r"(us-)?ascii|utf-?(7|8|16|32)(-?[bl]e)?|(iso-?8859|latin|windows|cp|koi8|mac|iso-2022|euc)\W?.*"
    r"|gb.*|big5.*|shift.?jis|ks_c.*|tis-620",
    re.I,
)

Headers = dict[str, list[str]]


@dataclass(frozen=True)
class Part:
    """One part of a message, the message itself being the first."""

    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    parts: tuple[Part, ...] = ()

    def header(self, name: str) -> str:
        """Return the first header of that lower-case name, decoded; empty without one."""
        return decoded(self.headers.get(name, [""])[0])

    def all(self, name: str) -> list[str]:
        return [decoded(value) for value in self.headers.get(name, [])]

    @cached_property
    def content_type(self) -> str:
        return self.header("content-type").split(";")[0].strip().lower() or "text/plain"

    @cached_property
    def content(self) -> bytes:
        """The body without its transfer encoding."""
        encoding = self.header("content-transfer-encoding").strip().lower()
        if encoding == "base64":
            return _from_base64(self.body)
        return quopri.decodestring(self.body) if encoding == "quoted-printable" else self.body

    @cached_property
    def text(self) -> str:
        """The body as text, with ``\\n`` for line ends; markup is left as it is."""
        charset = _CHARSET.search(self.header("content-type"))
        return _BREAKS.sub("\n", _to_text(self.content, charset[1] if charset else "utf-8"))

    def walk(self) -> Iterator[Part]:
        """Yield this part and all below it; an enclosed message is one part, not opened."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def find(self, *content_types: str) -> Part | None:
        return next((part for part in self.walk() if part.content_type in content_types), None)

    @cached_property
    def readable(self) -> str:
        """What a person would read first: the plain text part, else the HTML one as text."""
        plain = self.find("text/plain")
        if plain and not plain.parts:
            return plain.text
        html = self.find("text/html")
        return words_of(html.text) if html else ""


def parse(raw: bytes) -> Part:
    """Return *raw* taken apart; only its first megabyte and fifty parts are looked at."""
    return _Parser().part(raw[:MAX_BYTES], depth=0)


def parse_headers(text: str) -> Headers:
    """Return the headers of a block of text by lower-case name; lines that are none are skipped."""
    headers: Headers = {}
    for line in _unfolded(text)[:MAX_HEADERS]:
        match = _HEADER.match(line[:MAX_HEADER])
        if match:
            headers.setdefault(match[1].lower(), []).append(match[2].strip())
    return headers


def decoded(value: str) -> str:
    """Return a header's value with RFC 2047 words decoded as far as they can be."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(
        piece if isinstance(piece, str) else _to_text(piece, charset or "utf-8")
        for piece, charset in pieces
    )


class _Parser:
    def __init__(self) -> None:
        self._left = MAX_PARTS

    def part(self, raw: bytes, *, depth: int) -> Part:
        self._left -= 1
        head, body = _split(raw)
        headers = parse_headers(head)
        return Part(headers, body, tuple(self._children(headers, body, depth)))

    def _children(self, headers: Headers, body: bytes, depth: int) -> Iterator[Part]:
        content_type = headers.get("content-type", [""])[0]
        boundary = _BOUNDARY.search(content_type)
        if not content_type.lower().startswith("multipart/") or not boundary:
            return
        if depth >= MAX_DEPTH:
            return
        for piece in _pieces(body, boundary[1] or boundary[2]):
            if self._left <= 0:
                return
            yield self.part(piece, depth=depth + 1)


def _split(raw: bytes) -> tuple[str, bytes]:
    blank = _BLANK_LINE.search(raw)
    if not blank:
        return _to_text(raw, "utf-8"), b""
    return _to_text(raw[: blank.start()], "utf-8"), raw[blank.end() :]


def _pieces(body: bytes, boundary: str) -> list[bytes]:
    marker = re.escape(b"--" + boundary.encode("utf-8", "replace").rstrip())
    pieces = re.split(rb"(?:\A|\r?\n)" + marker + rb"(?:--)?[ \t]{0,80}(?=\r?\n|\Z)", body)
    # Before the first boundary stands the preamble, after the last one the epilogue. A message
    # that was cut short has no last one; then that piece is the cut part.
    is_closed = (b"--" + boundary.encode("utf-8", "replace").rstrip() + b"--") in body
    inner = pieces[1:-1] if is_closed else pieces[1:]
    return [re.sub(rb"\A\r?\n", b"", piece) for piece in inner]


def _unfolded(text: str) -> list[str]:
    lines: list[list[str]] = []
    for line in _BREAKS.sub("\n", text).split("\n"):
        if line[:1] in (" ", "\t") and lines:
            lines[-1].append(line.strip())
        else:
            lines.append([line])
    return [" ".join(pieces) for pieces in lines]


def _from_base64(body: bytes) -> bytes:
    alphabet = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
    try:
        return base64.b64decode(alphabet[: len(alphabet) // 4 * 4] + _tail(alphabet))
    except (binascii.Error, ValueError):
        return body


def _tail(alphabet: bytes) -> bytes:
    rest = alphabet[len(alphabet) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _to_text(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset if _MAIL_CHARSET.fullmatch(charset) else "utf-8")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")
