"""Messages whose bytes are finished, and the addresses on their envelopes."""

from __future__ import annotations

import email
import re
from collections.abc import Callable
from email.message import Message
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.utils.encoding import punycode

from .outcomes import InvalidAddress


class ReadyMessage(EmailMultiAlternatives):
    """A message whose bytes are finished, and that API backends can still take apart.

    ``wire`` is the message as the DATA phase wants it (RFC 5321, section 4.5.2): CRLF line ends,
    dots at the start of lines doubled, the final dot at the end. ``envelope_from`` is the return
    path. *parts* is called only for backends that take the message apart and returns ``subject``,
    ``from_email``, ``reply_to``, ``body``, ``html``, ``headers`` and ``metadata``.
    """

    def __init__(
        self, *, wire: bytes, envelope_from: str, to: str, parts: Callable[[], dict[str, Any]]
    ) -> None:
        super().__init__(to=[to], from_email=envelope_from)
        self.wire = wire
        self.envelope_from = envelope_from
        self._parts = parts

    @property
    def raw(self) -> bytes:
        """The message itself, without what only the wire needs."""
        return self.wire.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")

    def complete(self) -> None:
        """Fill in what only API backends need: for SMTP the bytes are enough."""
        parts = self._parts()
        self.attach_alternative(parts.pop("html"), "text/html")
        self.extra_headers = parts.pop("headers")
        for name, value in parts.items():
            setattr(self, name, value)

    def message(self, **_kwargs: Any) -> Any:
        return _ReadyMime(self.raw)


class _ReadyMime(Message):
    """Parsed for whoever looks at headers, the finished bytes for whoever sends."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self.__dict__.update(email.message_from_bytes(raw).__dict__)
        self._raw = raw

    def as_bytes(self, *_args: Any, linesep: str = "\r\n", **_kwargs: Any) -> bytes:
        return self._raw if linesep == "\r\n" else self._raw.replace(b"\r\n", linesep.encode())


def envelope_address(address: str) -> str:
    """Return *address* as the SMTP envelope needs it; raises InvalidAddress.

    The domain is IDNA-encoded. A local part beyond ASCII would need SMTPUTF8, which few servers
    offer, and is refused.
    """
    local, at, domain = address.rpartition("@")
    if not at or not local.isascii() or re.search(r"[\x00-\x20\x7f<>]", local + domain):
        raise InvalidAddress(f"{address!r} is not an address that can be mailed to")
    try:
        return f"{local}@{punycode(domain)}"
    except UnicodeError as error:
        raise InvalidAddress(f"{address!r} has an unusable domain") from error
