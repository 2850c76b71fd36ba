"""Signed tokens for everything that leaves in an e-mail: short, opaque, without a database.

Layout: one byte (version in the high four bits, kind in the low four), the values as unsigned
LEB128 varints, then the first ten bytes of an HMAC-SHA256 over all of it; base64url without
padding. Eighty bits keep forging out of reach for an online guesser while a click address stays
below forty characters.

Keys come from ``SECRET_KEY``; reading also accepts ``SECRET_KEY_FALLBACKS``, so links in mails
already sent survive a key rotation.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hmac
from typing import NamedTuple

from django.conf import settings

VERSION = 1
SIGNATURE_BYTES = 10
# Longest text read() looks at: a hostile megabyte is refused before any work is done.
MAX_LENGTH = 120
MAX_VALUE = 2**64 - 1


class Kind(enum.IntEnum):
    """What a token is for; a token of one kind is never accepted for another."""

    CLICK = 1
    """(link id, delivery id): a tracked link in an identified copy."""
    CLICK_ANONYMOUS = 2
    """(link id, copy key): a tracked link in a copy that leads to nobody; key 0 when shared."""
    OPEN = 3
    """(mailing id, delivery id, variant)"""
    OPEN_ANONYMOUS = 4
    """(mailing id, copy key, variant); key 0 when shared"""
    UNSUBSCRIBE = 5
    """(delivery id,)"""
    CONFIRM = 6
    """(subscription id, consent version id or 0, day asked: days since 1970-01-01)"""
    MESSAGE = 7
    """(delivery id,): left part of the Message-ID and of the envelope sender"""
    WEB_VERSION = 8
    """(mailing id, delivery id, variant): the e-mail in a browser, from an identified copy"""
    PREFERENCES = 9
    """(contact id,)"""
    FILE = 10
    """(link id, delivery id): a followed attachment in an identified copy"""
    FILE_ANONYMOUS = 11
    """(link id, copy key); key 0 when shared"""
    WEB_VERSION_ANONYMOUS = 12
    """(mailing id, copy key, variant); key 0 when shared"""
    TRAP = 13
    """(mailing id, delivery id, variant): the hidden link that only machines follow"""
    TRAP_ANONYMOUS = 14
    """(mailing id, copy key, variant)"""


class TokenError(ValueError):
    """The text is no token of ours: forged, cut short, of another kind or another site."""


class Token(NamedTuple):
    kind: Kind
    values: tuple[int, ...]


def make(kind: Kind, *numbers: int) -> str:
    """Return the signed text for *numbers* (unsigned, at most 64 bits each)."""
    return Maker(kind).token(values(*numbers)).decode()


class Maker:
    """Makes many tokens of one kind that differ in their last values; the key is read once.

    For the inside of a loop over copies: ``Maker(kind, *first).token(values(…))`` is the same
    text as ``make(kind, *first, …)`` in half the time.
    """

    def __init__(self, kind: Kind, *first: int) -> None:
        self._head = bytes([VERSION << 4 | kind]) + values(*first)
        self._key = _derived_key(settings.SECRET_KEY)

    def token(self, rest: bytes) -> bytes:
        """Return the token as ASCII bytes; *rest* is what ``values`` made of the last values."""
        payload = self._head + rest
        signature = hmac.digest(self._key, payload, "sha256")[:SIGNATURE_BYTES]
        return base64.urlsafe_b64encode(payload + signature).rstrip(b"=")


def values(*numbers: int) -> bytes:
    """Return *numbers* as they stand inside a token."""
    return b"".join(map(_varint, numbers))


def read(text: str, *kinds: Kind) -> Token:
    """Return what *text* carries; with *kinds*, only one of these is accepted.

    Raises TokenError for anything that ``make`` of this site did not write.
    """
    payload, signature = _split(text)
    if not _is_ours(payload, signature):
        raise TokenError("signature does not match")
    token = _parse(payload)
    if kinds and token.kind not in kinds:
        raise TokenError(f"{token.kind.name} is not accepted here")
    return token


def make_caseless(kind: Kind, *numbers: int) -> str:
    """Like ``make``, in lower-case base32: for mail addresses, whose case servers may change."""
    raw = _decode(make(kind, *numbers))
    return base64.b32encode(raw).rstrip(b"=").decode().lower()


def read_caseless(text: str, *kinds: Kind) -> Token:
    """Like ``read``, for what ``make_caseless`` wrote, in whatever case it comes back."""
    if len(text) > MAX_LENGTH:
        raise TokenError("too long")
    try:
        raw = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError) as error:
        raise TokenError("not base32") from error
    return read(_encode(raw), *kinds)


def _split(text: str) -> tuple[bytes, bytes]:
    if len(text) > MAX_LENGTH:
        raise TokenError("too long")
    raw = _decode(text)
    # Unused bits of the last character may differ without changing the bytes: one text per token.
    if len(raw) <= SIGNATURE_BYTES or _encode(raw) != text:
        raise TokenError("too short or not canonical")
    return raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]


def _is_ours(payload: bytes, signature: bytes) -> bool:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    # A list on purpose: every key is tried, so time does not tell which one fitted.
    return any([hmac.compare_digest(_signature(payload, key), signature) for key in keys])  # noqa: C419


def _parse(payload: bytes) -> Token:
    if payload[0] >> 4 != VERSION:
        raise TokenError("unknown version")
    try:
        return Token(Kind(payload[0] & 0x0F), tuple(_read_varints(payload[1:])))
    except ValueError as error:
        raise TokenError(str(error)) from error


def _signature(payload: bytes, key: str | bytes) -> bytes:
    return hmac.digest(_derived_key(key), payload, "sha256")[:SIGNATURE_BYTES]


def _derived_key(key: str | bytes) -> bytes:
    # The prefix keeps our signatures apart from every other use of the same key.
    return b"wagtail_email_insights.tokens:" + (key.encode() if isinstance(key, str) else key)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TokenError("not base64url") from error


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _varint(value: int) -> bytes:
    if not 0 <= value <= MAX_VALUE:
        raise ValueError(f"token values are unsigned 64-bit integers, not {value}")
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _read_varints(raw: bytes) -> list[int]:
    values, value, shift = [], 0, 0
    for byte in raw:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            values.append(value)
            value = shift = 0
    if shift or any(value > MAX_VALUE for value in values):
        raise ValueError("malformed varint")
    return values
