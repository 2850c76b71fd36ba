"""A mail server that misbehaves at every step: what became of the message must still be right."""

from __future__ import annotations

import smtplib
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import BinaryIO

import django
import pytest

from wagtail_email_insights import mail
from wagtail_email_insights.mail import Outcome, ReadyMessage

HOST = "127.0.0.1"
SILENCE_SECONDS = 0.3
# More than any pair of socket buffers holds, so that the client is still sending when it is cut.
HUGE = b"x" * 70 + b"\r\n"
HUGE_LINES = 400_000

DROP = b"drop"
SILENCE = b"silence"

REPLIES: Mapping[str, bytes] = {
    "greeting": b"220 ready",
    "ehlo": b"250 hello",
    "helo": b"250 hello",
    "mail": b"250 ok",
    "rcpt": b"250 ok",
    "data": b"354 go ahead",
    "dot": b"250 taken",
    "rset": b"250 ok",
    "quit": b"221 bye",
}


@dataclass
class ScriptedServer:
    """Speaks SMTP line by line; each of its *faults* happens once, at the step it is given for.

    A fault is a reply, DROP (the connection ends) or SILENCE (nothing comes any more). The step
    ``body`` is reached when the first bytes of a message have come.
    """

    replies: Mapping[str, bytes] = field(default_factory=lambda: REPLIES)
    faults: dict[str, bytes] = field(default_factory=dict)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self._stopped.set()
        # Wakes up whoever waits for a connection.
        with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
            pass
        self._thread.join(10)
        self._listening.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            connection, _address = self._listening.accept()
            if self._stopped.is_set():
                connection.close()
                return
            self.connections += 1
            with closing(connection), connection.makefile("rb") as lines, suppress(OSError):
                connection.settimeout(10)
                self._converse(connection, lines)

    def _converse(self, connection: socket.socket, lines: BinaryIO) -> None:
        going_on = self._reply(connection, "greeting")
        while going_on and (line := lines.readline()):
            step = line[:4].decode().lower()
            self._note_envelope(step, line.decode().strip().partition(":")[2])
            going_on = self._reply(connection, step) and step != "quit"
            if going_on and step == "data" and self._last_reply.startswith(b"354"):
                going_on = self._take_body(connection, lines)

    def _note_envelope(self, step: str, path: str) -> None:
        if step == "mail":
            self.envelopes.append((path, ""))
        elif step == "rcpt":
            self.envelopes[-1] = (self.envelopes[-1][0], path)

    def _take_body(self, connection: socket.socket, lines: BinaryIO) -> bool:
        body = [lines.readline()]
        if "body" in self.faults and not self._reply(connection, "body"):
            return False
        while body[-1] != b".\r\n":
            body.append(lines.readline())
        self.bodies.append(b"".join(body))
        return self._reply(connection, "dot")

    def _reply(self, connection: socket.socket, step: str) -> bool:
        """Answer as the script says; returns whether the conversation goes on."""
        answer = self._last_reply = self.faults.pop(step, self.replies.get(step, b"500 what?"))
        if answer == DROP:
            # Not a polite end but a reset, as after a crash.
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return False
        if answer == SILENCE:
            connection.settimeout(10)
            while connection.recv(65536):
                pass
            return False
        connection.sendall(answer + b"\r\n")
        return not answer.startswith(b"421")


def use_server(settings, port: int, **options: str) -> None:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    if django.VERSION >= (6, 1):
        options = {"host": HOST, "port": port, **options}
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
    else:
        settings.EMAIL_BACKEND = backend
        settings.EMAIL_HOST, settings.EMAIL_PORT = HOST, port
        settings.EMAIL_HOST_USER = options.get("username", "")
        settings.EMAIL_HOST_PASSWORD = options.get("password", "")


@pytest.fixture(params=[b"250 hello", b"250-hello\r\n250 PIPELINING"], ids=["plain", "pipelining"])
def server(settings, request) -> Iterator[ScriptedServer]:
    with ScriptedServer(replies={**REPLIES, "ehlo": request.param}) as server:
        use_server(settings, server.port)
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(mail, "SMTP_TIMEOUT", SILENCE_SECONDS)


def message(
    raw: bytes = b"Subject: Hi\r\n\r\nHello\r\n",
    *,
    to: str = "ann@example.org",
    envelope_from: str = "news@example.org",
) -> ReadyMessage:
    # smtplib's own way of doubling dots is the judge of ours.
    wire = smtplib._quote_periods(raw if raw.endswith(b"\r\n") else raw + b"\r\n") + b".\r\n"
    return ReadyMessage(wire=wire, envelope_from=envelope_from, to=to, parts=dict)


FAULTS = [
    ("greeting", DROP, Outcome.UNREACHABLE),
    ("greeting", SILENCE, Outcome.UNREACHABLE),
    ("greeting", b"421 too busy", Outcome.UNREACHABLE),
    ("greeting", b"554 we do not know you", Outcome.SENDER_REFUSED),
    ("ehlo", DROP, Outcome.UNREACHABLE),
    ("ehlo", SILENCE, Outcome.UNREACHABLE),
    ("mail", DROP, Outcome.UNREACHABLE),
    ("mail", SILENCE, Outcome.UNREACHABLE),
    ("mail", b"421 closing", Outcome.UNREACHABLE),
    ("mail", b"451 later", Outcome.DEFERRED),
    ("mail", b"550 5.1.8 not this sender", Outcome.SENDER_REFUSED),
    ("rcpt", DROP, Outcome.UNREACHABLE),
    ("rcpt", SILENCE, Outcome.UNREACHABLE),
    ("rcpt", b"421 closing", Outcome.UNREACHABLE),
    ("rcpt", b"450 4.2.1 mailbox busy", Outcome.DEFERRED),
    ("rcpt", b"452 4.5.3 too many recipients", Outcome.DEFERRED),
    ("rcpt", b"550 5.1.1 nobody of that name", Outcome.REFUSED),
    ("rcpt", b"550-5.1.1 nobody\r\n550 5.1.1 of that name", Outcome.REFUSED),
    ("rcpt", b"550 5.7.1 we do not relay for you", Outcome.SENDER_REFUSED),
    ("data", DROP, Outcome.UNREACHABLE),
    ("data", SILENCE, Outcome.UNREACHABLE),
    ("data", b"421 closing", Outcome.UNREACHABLE),
    ("data", b"451 later", Outcome.DEFERRED),
    ("data", b"554 no", Outcome.SENDER_REFUSED),
    ("dot", DROP, Outcome.UNCERTAIN),
    ("dot", SILENCE, Outcome.UNCERTAIN),
    ("dot", b"25", Outcome.UNCERTAIN),
    ("dot", b"?? what is this", Outcome.UNCERTAIN),
    ("dot", b"354 go ahead", Outcome.UNCERTAIN),
    ("dot", b"421 closing", Outcome.UNREACHABLE),
    ("dot", b"451 4.7.1 greylisted", Outcome.DEFERRED),
    ("dot", b"552 5.3.4 too big", Outcome.REFUSED),
    ("dot", b"554 5.7.1 looks like spam", Outcome.SENDER_REFUSED),
]


@pytest.mark.parametrize(
    ("step", "fault", "outcome"), FAULTS, ids=lambda value: getattr(value, "value", str(value))
)
def test_the_outcome_is_right_and_the_next_message_goes_through(server, step, fault, outcome):
    server.faults[step] = fault
    with mail.connect() as connection:
        first = connection.hand_over(message(to="first@example.org"))
        second = connection.hand_over(message(to="second@example.org"))
    assert first.outcome is outcome, first
    assert second.outcome is Outcome.ACCEPTED, second
    assert server.envelopes[-1][1] == "<second@example.org>"


def test_a_reason_comes_with_every_failure(server):
    server.faults["rcpt"] = b"550 5.1.1 nobody of that name"
    with mail.connect() as connection:
        handed_over = connection.hand_over(message())
    assert handed_over.detail == "550 5.1.1 nobody of that name"


def test_a_connection_cut_in_the_middle_of_the_body_sent_nothing(server):
    server.faults["body"] = DROP
    with mail.connect() as connection:
        first = connection.hand_over(message(b"Subject: Hi\r\n\r\n" + HUGE * HUGE_LINES))
        second = connection.hand_over(message())
    assert first.outcome is Outcome.UNREACHABLE, first
    assert second.outcome is Outcome.ACCEPTED
    assert len(server.bodies) == 1


def test_a_cut_behind_the_last_byte_leaves_us_in_doubt(server):
    """A short body is out of our hands before the server has looked at it."""
    server.faults["body"] = DROP
    with mail.connect() as connection:
        first = connection.hand_over(message())
        second = connection.hand_over(message())
    assert first.outcome is Outcome.UNCERTAIN, first
    assert second.outcome is Outcome.ACCEPTED


def test_nobody_listens(settings):
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    use_server(settings, port)
    with mail.connect() as connection:
        assert connection.hand_over(message()).outcome is Outcome.UNREACHABLE


def test_the_server_restarts_between_two_messages(server):
    with mail.connect() as connection:
        assert connection.hand_over(message()).outcome is Outcome.ACCEPTED
        server.faults["mail"] = DROP
        assert connection.hand_over(message()).outcome is Outcome.UNREACHABLE
        assert connection.hand_over(message()).outcome is Outcome.ACCEPTED
    assert server.connections == 2


def test_a_refused_log_in_is_our_trouble_and_stays_so(server, settings):
    """A connection whose log-in failed must not be used for the next message."""
    use_server(settings, server.port, username="us", password="wrong")
    server.faults["ehlo"] = b"250-hello\r\n250 AUTH PLAIN"
    server.faults["auth"] = b"535 5.7.8 wrong"
    with mail.connect() as connection:
        first = connection.hand_over(message())
        server.faults["ehlo"] = b"250-hello\r\n250 AUTH PLAIN"
        server.faults["auth"] = b"535 5.7.8 wrong"
        second = connection.hand_over(message())
    assert first.outcome is Outcome.SENDER_REFUSED, first
    assert second.outcome is Outcome.SENDER_REFUSED, second
    assert not server.envelopes


def test_many_messages_share_one_connection(server):
    with mail.connect() as connection:
        for _number in range(20):
            assert connection.hand_over(message()).outcome is Outcome.ACCEPTED
    assert server.connections == 1


def test_a_refused_recipient_leaves_the_connection_open(server):
    server.faults["rcpt"] = b"550 5.1.1 nobody of that name"
    with mail.connect() as connection:
        connection.hand_over(message())
        connection.hand_over(message())
    assert server.connections == 1


@pytest.mark.parametrize(
    ("address", "on_the_wire"),
    [
        ("ann@example.org", "ann@example.org"),
        ("Ann.O'Hara+news@Example.org", "Ann.O'Hara+news@Example.org"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ],
)
def test_the_envelope_carries_the_address(server, address, on_the_wire):
    with mail.connect() as connection:
        outcome = connection.hand_over(message(to=address, envelope_from=address)).outcome
    assert outcome is Outcome.ACCEPTED
    assert server.envelopes == [(f"<{on_the_wire}>", f"<{on_the_wire}>")]


@pytest.mark.parametrize(
    "address",
    [
        "bücher@example.org",
        "two words@example.org",
        "a@example.org>\r\nRCPT TO:<b@example.org",
        "nobody",
        "",
        "a@" + "x" * 64 + ".example",
    ],
)
def test_an_address_that_no_envelope_can_carry_reaches_no_server(server, address):
    with mail.connect() as connection:
        assert connection.hand_over(message(to=address)).outcome is Outcome.REFUSED
        sender = connection.hand_over(message(envelope_from=address))
    assert sender.outcome is Outcome.SENDER_REFUSED
    assert server.connections == 0


HEAD = b"Subject: Hi\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "on_the_wire"),
    [
        (b"plain\r\n", b"plain\r\n.\r\n"),
        (b"no line end", b"no line end\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"..\r\n", b"...\r\n.\r\n"),
        (b".hidden\r\nin.the.middle\r\n", b"..hidden\r\nin.the.middle\r\n.\r\n"),
        (b"end\r\n.\r\nMAIL FROM:<x@y>\r\n", b"end\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n"),
        (b"\r\n\r\n", b"\r\n\r\n.\r\n"),
        (b"\xc3\xa9\xff\x00\r\n", b"\xc3\xa9\xff\x00\r\n.\r\n"),
        (b"last line is a dot\r\n.", b"last line is a dot\r\n..\r\n.\r\n"),
    ],
    ids=repr,
)
def test_the_body_arrives_byte_for_byte(server, body, on_the_wire):
    with mail.connect() as connection:
        assert connection.hand_over(message(HEAD + body)).outcome is Outcome.ACCEPTED
        assert connection.hand_over(message()).outcome is Outcome.ACCEPTED
    assert server.bodies[0] == HEAD + on_the_wire


def test_a_dot_at_the_very_start_is_stuffed_too(server):
    with mail.connect() as connection:
        connection.hand_over(message(b".Subject: Hi\r\n\r\n"))
    assert server.bodies == [b"..Subject: Hi\r\n\r\n.\r\n"]
