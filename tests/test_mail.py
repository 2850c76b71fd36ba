"""Backends of all kinds: what they raise and how they send; SMTP's own faults are in resilience."""

from __future__ import annotations

import json

import django
import pytest
from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SMTPBackend

from wagtail_email_insights import mail
from wagtail_email_insights.mail import MailError, Outcome, ReadyMessage

PARTS = {"subject": "s", "from_email": "a@example.org", "reply_to": [], "body": "b"}


class Answering(BaseEmailBackend):
    """Does what it is told at each step, and remembers what it was asked."""

    def __init__(self, *, on_open=None, on_send=None) -> None:
        super().__init__(alias="default") if "alias" in ALIASED else super().__init__()
        self.asked: list[str] = []
        self.on_open, self.on_send = on_open, on_send

    def open(self) -> None:
        self.asked.append("open")
        if self.on_open:
            raise self.on_open

    def send_messages(self, messages) -> int:
        self.asked.append("send")
        if self.on_send:
            raise self.on_send
        return len(messages)

    def close(self) -> None:
        self.asked.append("close")


ALIASED = BaseEmailBackend.__init__.__code__.co_varnames


def message(parts=None) -> ReadyMessage:
    def make_parts():
        return {**PARTS, "html": "<p>", "headers": {}} if parts is None else parts()

    return ReadyMessage(
        wire=b"Subject: x\r\n\r\nhi\r\n.\r\n",
        envelope_from="a@example.org",
        to="b@example.org",
        parts=make_parts,
    )


def not_json() -> ValueError:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("<html>502</html>")
    return caught.value


def use(monkeypatch, backend) -> None:
    monkeypatch.setattr(mail, "backend_for", lambda alias: backend)


def hand_over(monkeypatch, backend, ready=None) -> mail.HandOver:
    use(monkeypatch, backend)
    with mail.connect() as connection:
        return connection.hand_over(ready or message())


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (not_json(), Outcome.UNCERTAIN),
        (ValueError("no idea when"), Outcome.UNCERTAIN),
        (RuntimeError("no idea when"), Outcome.UNCERTAIN),
        (type("BadHeaderError", (ValueError,), {})("line break"), Outcome.REFUSED),
        (AnymailInvalidAddress("b@"), Outcome.REFUSED),
        (AnymailRecipientsRefused("refused"), Outcome.REFUSED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.value,
)
def test_an_error_while_sending_leaves_a_copy_uncertain_unless_nothing_left(
    monkeypatch, error, outcome
):
    assert hand_over(monkeypatch, Answering(on_send=error)).outcome is outcome


def test_a_message_that_cannot_be_built_was_never_sent(monkeypatch):
    backend = Answering()
    result = hand_over(monkeypatch, backend, message(parts=lambda: {}["html"]))
    assert result.outcome is Outcome.REFUSED
    assert "send" not in backend.asked


@pytest.mark.parametrize("error", [ConnectionRefusedError("away"), ValueError("no API key")])
def test_what_fails_before_the_first_byte_was_not_sent(monkeypatch, error):
    backend = Answering(on_open=error)
    assert hand_over(monkeypatch, backend).outcome is Outcome.UNREACHABLE
    assert "send" not in backend.asked


def test_a_connection_that_failed_is_opened_anew(monkeypatch):
    backend = Answering(on_send=RuntimeError())
    use(monkeypatch, backend)
    with mail.connect() as connection:
        connection.hand_over(message())
        backend.on_send = None
        assert connection.hand_over(message()).outcome is Outcome.ACCEPTED
    assert backend.asked == ["open", "send", "close", "open", "send", "close"]


class Signing(SMTPBackend):
    """A host's own way of sending, over SMTP."""

    def __init__(self) -> None:
        self.timeout, self.connection, self.signed = None, None, 0

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass


class SigningEach(Signing):
    def send_messages(self, messages) -> int:
        return sum(map(self._send, messages))

    def _send(self, message) -> bool:
        self.signed += 1
        return True


class OnlyElsewhere(Signing):
    """Connects in its own way, sends like Django."""


def test_a_host_s_own_way_of_sending_is_not_passed_over(monkeypatch):
    backend = SigningEach()
    assert hand_over(monkeypatch, backend).outcome is Outcome.ACCEPTED
    assert backend.signed == 1


def test_a_subclass_that_sends_like_django_is_driven_step_by_step(monkeypatch):
    use(monkeypatch, OnlyElsewhere())
    with mail.connect() as connection:
        assert type(connection) is mail.SMTPConnection


def test_a_silent_server_is_not_waited_for_for_ever(settings):
    assert smtp_backend(settings).timeout == mail.SMTP_TIMEOUT


def test_the_host_s_own_time_out_stays(settings):
    assert smtp_backend(settings, timeout=5).timeout == 5


def smtp_backend(settings, **options) -> SMTPBackend:
    kind = "django.core.mail.backends.smtp.EmailBackend"
    if django.VERSION >= (6, 1):
        options = {"host": "127.0.0.1", "port": 1, **options}
        settings.MAILERS = {"default": {"BACKEND": kind, "OPTIONS": options}}
    else:
        settings.EMAIL_BACKEND = kind
        settings.EMAIL_TIMEOUT = options.get("timeout")
    return mail.backend_for("default")


@pytest.mark.parametrize("error", [AnymailRecipientsRefused("no"), OSError("no"), KeyError("no")])
def test_a_single_mail_that_fails_is_a_mail_error_whatever_the_backend_raised(monkeypatch, error):
    use(monkeypatch, Answering(on_send=error))
    with pytest.raises(MailError):
        mail.send_transactional(
            subject="s", text="t", to="b@example.org", from_email="a@example.org"
        )
