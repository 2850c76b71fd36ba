"""Handing over by SMTP, step by step.

What decides whether a copy may be sent again is not which exception was raised but how far the
conversation with the server had come (RFC 5321, section 4.2.5: a message is the server's once it
has answered the final dot).
"""

from __future__ import annotations

import contextlib
import enum
import smtplib
from collections.abc import Iterator
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as SMTPBackend

from .connections import Connection
from .messages import ReadyMessage, envelope_address
from .outcomes import HandOver, InvalidAddress, Outcome, judge_connect_error


class Stage(enum.IntEnum):
    """How far the conversation about one message has come."""

    MAIL = 1
    RCPT = 2
    DATA = 3
    BODY = 4
    FINAL_DOT = 5


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
            return judge_connect_error(error)
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


def _is_expected(stage: Stage, code: int) -> bool:
    """Tell whether a reply lets the conversation go on: 2xx, to DATA 3xx."""
    return code // 100 == (3 if stage == Stage.DATA else 2)


def _is_verdict(code: int) -> bool:
    """Tell whether *code* says what became of a message: 2xx it is taken, 4xx and 5xx it is not."""
    return 200 <= code < 300 or 400 <= code < 600
