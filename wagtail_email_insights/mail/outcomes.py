"""What can become of a message that is handed over, in one word."""

from __future__ import annotations

import enum
import smtplib
from dataclasses import dataclass


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


def in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def judge_connect_error(error: Exception) -> HandOver:
    """Judge an error on the way to the server: nothing has been sent."""
    detail = in_words(error)
    code = getattr(error, "smtp_code", 0)
    if isinstance(error, smtplib.SMTPAuthenticationError) or code >= 500:
        return HandOver(Outcome.SENDER_REFUSED, detail)
    return HandOver(Outcome.UNREACHABLE, detail)
