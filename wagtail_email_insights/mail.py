"""The way out: everything the app sends goes through Django's mail API here.

What decides whether a copy may be sent again is not which exception was raised but how far the
conversation with the server had come (RFC 5321, section 4.2.5: a message is the server's once it
has answered the final dot). ``hand_over`` therefore says what became of a message in one word.
"""

from __future__ import annotations

import contextlib
import email
import enum
import re
import smtplib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

import django
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SMTPBackend
from django.utils.encoding import punycode

from .conf import app_settings

# Django waits for ever by default; a silent server must not outlive the lease of a copy.
SMTP_TIMEOUT = 30

NEVER_LEFT = frozenset(
    {
        "BadHeaderError",
        "InvalidAddress",
        "AnymailInvalidAddress",
        "AnymailUnsupportedFeature",
        "AnymailSerializationError",
        "AnymailRecipientsRefused",
    }
)
"""Errors of backends, by the name of their class, after which nobody has the message."""


class MailError(Exception):
    """A single mail could not be handed to the mail server; the reason is the message."""


class InvalidAddress(ValueError):
    """An address that no SMTP envelope can carry."""


class Outcome(enum.Enum):
    """What became of a message that was to be handed over."""

    ACCEPTED = "accepted"
    """The server has it."""
    REFUSED = "refused"
    """The server refused this message or address for good; it is not sent."""
    DEFERRED = "deferred"
    """The server asks to try this message later; it is not sent."""
    SENDER_REFUSED = "sender_refused"
    """The server refuses us, not the recipient: log-in, sender or policy; it is not sent."""
    UNREACHABLE = "unreachable"
    """No connection, or it broke before the message was complete; it is not sent."""
    UNCERTAIN = "uncertain"
    """It may or may not be sent: no answer after the final dot."""


@dataclass(frozen=True)
class HandOver:
    outcome: Outcome
    detail: str = ""


class Stage(enum.IntEnum):
    """How far the conversation about one message has come."""

    MAIL = 1
    RCPT = 2
    DATA = 3
    BODY = 4
    FINAL_DOT = 5


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


class Connection:
    """An open way to the mail server; see ``connect``."""

    def __init__(self, backend: BaseEmailBackend) -> None:
        self.backend = backend

    def hand_over(self, message: ReadyMessage) -> HandOver:
        """Give one message to the server and say what became of it; never raises."""
        try:
            message.complete()
        except Exception as error:
            return HandOver(Outcome.REFUSED, _in_words(error))
        try:
            self.backend.open()
        except Exception as error:
            return _judge_connect_error(error)
        return self._send(message)

    def _send(self, message: ReadyMessage) -> HandOver:
        try:
            sent = self.backend.send_messages([message])
        except Exception as error:
            # What is left of the connection may be of no more use.
            self.close()
            return _judge_foreign_error(error)
        return HandOver(Outcome.ACCEPTED) if sent else HandOver(Outcome.UNCERTAIN, "no answer")

    def close(self) -> None:
        # A goodbye that fails changes nothing about what was sent.
        with contextlib.suppress(Exception):
            self.backend.close()


class SMTPConnection(Connection):
    """Drives the connection of Django's SMTP backend step by step, noting the stage."""

    backend: SMTPBackend

    @property
    def _smtp(self) -> Any:
        return self.backend.connection

    def hand_over(self, message: ReadyMessage) -> HandOver:
        try:
            sender = envelope_address(message.envelope_from)
        except InvalidAddress as error:
            return HandOver(Outcome.SENDER_REFUSED, str(error))
        try:
            recipient = envelope_address(message.to[0])
        except InvalidAddress as error:
            return HandOver(Outcome.REFUSED, str(error))
        try:
            self.backend.open()
        except OSError as error:
            return _judge_connect_error(error)
        return self._converse(sender, recipient, message.wire)

    def _converse(self, sender: str, recipient: str, wire: bytes) -> HandOver:
        stage = Stage.MAIL
        try:
            for stage, (code, text) in self._steps(sender, recipient, wire):
                if stage == Stage.FINAL_DOT and not _is_verdict(code):
                    raise smtplib.SMTPResponseException(code, text)
                if not _is_expected(stage, code):
                    return self._judge_reply(stage, code, text)
        except OSError as error:
            self._drop()
            # _steps is suspended inside the step after the last one that was answered.
            if stage >= Stage.BODY:
                return HandOver(Outcome.UNCERTAIN, f"no answer to the message: {error}"[:500])
            return HandOver(Outcome.UNREACHABLE, f"connection lost: {error}"[:500])
        return HandOver(Outcome.ACCEPTED)

    def _steps(
        self, sender: str, recipient: str, wire: bytes
    ) -> Iterator[tuple[Stage, tuple[int, bytes]]]:
        """Yield each stage with the server's reply to it."""
        smtp = self._smtp
        smtp.ehlo_or_helo_if_needed()
        if smtp.has_extn("pipelining"):
            mail, rcpt, data = self._envelope_at_once(sender, recipient)
        else:
            mail = smtp.mail(sender)
            rcpt = smtp.rcpt(recipient) if _is_expected(Stage.MAIL, mail[0]) else mail
            data = smtp.docmd("data") if _is_expected(Stage.RCPT, rcpt[0]) else rcpt
        yield Stage.MAIL, mail
        yield Stage.RCPT, rcpt
        yield Stage.DATA, data
        smtp.send(wire)
        # Every byte is out of our hands: from here on silence means that we do not know.
        yield Stage.BODY, (250, b"")
        yield Stage.FINAL_DOT, smtp.getreply()

    def _envelope_at_once(self, sender: str, recipient: str) -> list[tuple[int, bytes]]:
        """Send the three commands in one go (RFC 2920): two round trips less for every message.

        A server may answer DATA with "go ahead" although it refused the recipient; then it gets
        a message that ends before it begins, which goes to nobody.
        """
        smtp = self._smtp
        smtp.send(f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n")
        replies = [smtp.getreply() for _command in range(3)]
        mail, rcpt, data = (code for code, _text in replies)
        refused = not (_is_expected(Stage.MAIL, mail) and _is_expected(Stage.RCPT, rcpt))
        if refused and _is_expected(Stage.DATA, data):
            smtp.send(".\r\n")
            smtp.getreply()
        return replies

    def _judge_reply(self, stage: Stage, code: int, text: bytes) -> HandOver:
        detail = f"{code} {text.decode('utf-8', 'replace')}"[:500]
        self._reset(code)
        if code == 421:
            return HandOver(Outcome.UNREACHABLE, detail)
        if code < 500:
            return HandOver(Outcome.DEFERRED, detail)
        ours = stage in (Stage.MAIL, Stage.DATA) or b"5.7." in text[:12]
        return HandOver(Outcome.SENDER_REFUSED if ours else Outcome.REFUSED, detail)

    def _reset(self, code: int) -> None:
        try:
            if code == 421:
                raise smtplib.SMTPServerDisconnected("server is closing")
            self._smtp.rset()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        """Forget a connection that is of no more use, without a polite goodbye."""
        with contextlib.suppress(OSError):
            self._smtp.close()
        self.backend.connection = None


@contextlib.contextmanager
def connect(alias: str | None = None) -> Iterator[Connection]:
    """Yield a Connection to the mail server behind *alias*; closes it afterwards.

    Opening is left to the first hand-over, so a server that is away is an outcome, not an error.
    """
    backend = backend_for(alias or app_settings.mailer)
    connection = SMTPConnection(backend) if _sends_plainly(backend) else Connection(backend)
    try:
        yield connection
    finally:
        connection.close()


def backend_for(alias: str) -> BaseEmailBackend:
    """Return the host's mail backend: ``MAILERS[alias]`` from Django 6.1 on, else the only one.

    One that speaks SMTP waits for the server no longer than SMTP_TIMEOUT, unless the host says so.
    """
    backend: BaseEmailBackend = (
        django_mail.mailers[alias] if django.VERSION >= (6, 1) else django_mail.get_connection()
    )
    if isinstance(backend, SMTPBackend) and backend.timeout is None:
        backend.timeout = SMTP_TIMEOUT
    return backend


def send_transactional(
    *,
    subject: str,
    text: str,
    to: str,
    from_email: str,
    html: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send one mail to one person now; raises MailError when the server does not take it."""
    message = EmailMultiAlternatives(
        subject=subject, body=text, from_email=from_email, to=[to], headers=dict(headers or {})
    )
    if html:
        message.attach_alternative(html, "text/html")
    try:
        backend_for(app_settings.mailer).send_messages([message])
    except Exception as error:
        # Backends raise what they like, and not all of it is an OSError: anymail's errors are not.
        raise MailError(str(error)) from error


def _sends_plainly(backend: BaseEmailBackend) -> bool:
    """Tell whether *backend* sends as Django's own does: a host's own way, say signing, stays."""
    kind = type(backend)
    return (
        isinstance(backend, SMTPBackend)
        and kind.send_messages is SMTPBackend.send_messages
        and kind._send is SMTPBackend._send  # type: ignore[attr-defined]
    )


def _is_expected(stage: Stage, code: int) -> bool:
    """Tell whether a reply lets the conversation go on: 2xx, to DATA 3xx."""
    return code // 100 == (3 if stage == Stage.DATA else 2)


def _is_verdict(code: int) -> bool:
    """Tell whether *code* says what became of a message: 2xx it is taken, 4xx and 5xx it is not."""
    return 200 <= code < 300 or 400 <= code < 600


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _judge_connect_error(error: Exception) -> HandOver:
    detail = _in_words(error)
    code = getattr(error, "smtp_code", 0)
    if isinstance(error, smtplib.SMTPAuthenticationError) or code >= 500:
        return HandOver(Outcome.SENDER_REFUSED, detail)
    return HandOver(Outcome.UNREACHABLE, detail)


def _judge_foreign_error(error: Exception) -> HandOver:
    """Judge an error of a backend whose stages we cannot see: a reply code, or we do not know.

    A ValueError is no exception: it may come from reading the answer of a provider who has the
    message.
    """
    detail = _in_words(error)
    code = getattr(error, "smtp_code", None) or getattr(error, "status_code", None) or 0
    if NEVER_LEFT & {kind.__name__ for kind in type(error).__mro__}:
        return HandOver(Outcome.REFUSED, detail)
    if 400 <= code < 500:
        return HandOver(Outcome.DEFERRED, detail)
    if code >= 500 and hasattr(error, "smtp_code"):
        return HandOver(Outcome.REFUSED, detail)
    return HandOver(Outcome.UNCERTAIN, detail)


__all__ = [
    "Connection",
    "HandOver",
    "InvalidAddress",
    "MailError",
    "Outcome",
    "ReadyMessage",
    "backend_for",
    "connect",
    "envelope_address",
    "send_transactional",
]
