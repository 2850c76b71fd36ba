"""Handing over through any of Django's mail backends, whose inside we cannot see."""

from __future__ import annotations

import contextlib

from django.core.mail.backends.base import BaseEmailBackend

from .messages import ReadyMessage
from .outcomes import HandOver, Outcome, in_words, judge_connect_error

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


class Connection:
    """An open way to the mail server; see ``connect``."""

    def __init__(self, backend: BaseEmailBackend) -> None:
        self.backend = backend

    def hand_over(self, message: ReadyMessage) -> HandOver:
        """Give one message to the server and say what became of it; never raises."""
        try:
            message.complete()
        except Exception as error:
            return HandOver(Outcome.REFUSED, in_words(error))
        try:
            self.backend.open()
        except Exception as error:
            return judge_connect_error(error)
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


def _judge_foreign_error(error: Exception) -> HandOver:
    """Judge an error of a backend whose stages we cannot see: a reply code, or we do not know.

    A ValueError is no exception: it may come from reading the answer of a provider who has the
    message.
    """
    detail = in_words(error)
    code = getattr(error, "smtp_code", None) or getattr(error, "status_code", None) or 0
    if NEVER_LEFT & {kind.__name__ for kind in type(error).__mro__}:
        return HandOver(Outcome.REFUSED, detail)
    if 400 <= code < 500:
        return HandOver(Outcome.DEFERRED, detail)
    if code >= 500 and hasattr(error, "smtp_code"):
        return HandOver(Outcome.REFUSED, detail)
    return HandOver(Outcome.UNCERTAIN, detail)
