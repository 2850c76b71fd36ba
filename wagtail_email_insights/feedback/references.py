"""From a message that came back to the copy it is about: our token in an address or Message-ID."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from .. import tokens
from ..tokens import Kind, TokenError
from .messages import Part, parse_headers

ADDRESSED = (
    "to",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-forwarded-to",
)
"""Headers in which a mail server names the address it delivered to: our envelope sender."""

ORIGINAL = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
MAX_CANDIDATES = 100
MAX_SEARCHED = 200_000

_VERP = re.compile(r"\+([A-Za-z2-7]{16,60})@")
_MESSAGE_ID = re.compile(r"<[^<>@\s]{1,200}@[^<>@\s]{1,200}>")


def original_headers(message: Part) -> dict[str, list[str]]:
    """Return the headers of the mail that *message* encloses; empty if it encloses none."""
    original = message.find(*ORIGINAL)
    return parse_headers(original.text) if original else {}


def find_token(message: Part) -> str:
    """Return the first token of ours in *message*: envelope sender, then Message-IDs.

    Only what this site signed is found, so a look-alike leads nowhere.
    """
    for text in _addresses(message):
        for match in _VERP.finditer(text[:4_000]):
            if delivery_id(match[1]) is not None:
                return match[1]
    locals_ = (found[1:-1].rpartition("@")[0] for found in _message_ids(message))
    return next((text for text in locals_ if delivery_id(text) is not None), "")


def find_message_id(message: Part) -> str:
    """Return the Message-ID of the mail that *message* is about, with its brackets."""
    return next(iter(_message_ids(message)), "")


def delivery_id(token: str) -> int | None:
    """Return the delivery that *token* stands for, None if it is none of ours."""
    for read in (tokens.read, tokens.read_caseless):
        try:
            return read(token, Kind.MESSAGE).values[0]
        except (TokenError, IndexError):
            continue
    return None


def _addresses(message: Part) -> Iterator[str]:
    for name in ADDRESSED:
        yield from message.all(name)[:10]
    original = original_headers(message)
    yield from [*original.get("return-path", []), *original.get("sender", [])][:10]


def _message_ids(message: Part) -> list[str]:
    found = (match[0] for text in _texts(message) for match in _MESSAGE_ID.finditer(text))
    return list(islice(found, MAX_CANDIDATES))


def _texts(message: Part) -> Iterator[str]:
    """Yield where the Message-ID may stand, the surest place first."""
    yield from original_headers(message).get("message-id", [])
    for name in ("x-original-message-id", "original-message-id", "in-reply-to", "references"):
        yield from message.all(name)
    for part in message.walk():
        if not part.parts:
            yield _after_message_id(part.text[:MAX_SEARCHED])


def _after_message_id(text: str) -> str:
    """Return the lines that name a Message-ID: other things in angle brackets are addresses."""
    lines = text.split("\n")
    near = (
        f"{line} {following}"
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if "message-id" in line.lower() or "message id" in line.lower()
    )
    return "\n".join(near)
