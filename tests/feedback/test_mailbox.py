from __future__ import annotations

from contextlib import suppress

import pytest
from django.db import OperationalError

from tests.feedback.messages.building import READER, mail
from tests.feedback.servers import Maildrop, serve
from wagtail_email_insights.feedback import mailbox as mailbox_module
from wagtail_email_insights.feedback.mailbox import MailboxError, poll
from wagtail_email_insights.feedback.tasks import poll_mailboxes
from wagtail_email_insights.tracking.models import Event

# The servers run in threads of their own but never touch the database.
pytestmark = pytest.mark.django_db

protocols = pytest.mark.parametrize("protocol", ["imap", "pop3"])


def answers(count: int) -> list[bytes]:
    return [mail(f"Answer {n}\n.\n..x", From=READER, Subject=f"Re: {n}") for n in range(count)]


def entry(protocol: str, port: int, **extra) -> dict:
    return {
        "protocol": protocol,
        "host": "127.0.0.1",
        "port": port,
        "username": "bounce",
        "password": "secret",
        "ssl": False,
        "timeout": 5,
    } | extra


@pytest.fixture(autouse=True)
def _reader(delivery):
    """Somebody whose answers count."""


@protocols
def test_what_was_taken_in_is_removed(protocol):
    drop = Maildrop().put(*answers(3))
    with serve(protocol, drop) as port:
        assert poll(entry(protocol, port)) == 3
        assert drop.messages == {}
        assert poll(entry(protocol, port)) == 0
    assert Event.objects.count() == 3


@protocols
def test_dots_and_line_ends_survive_the_transport(protocol):
    with serve(protocol, Maildrop().put(*answers(1))) as port:
        poll(entry(protocol, port))
    assert Event.objects.get().reply.text == "Answer 0\n.\n..x"


@protocols
def test_what_is_kept_is_taken_in_once(protocol):
    drop = Maildrop().put(*answers(2))
    with serve(protocol, drop) as port:
        assert poll(entry(protocol, port, keep=True)) == 2
        assert poll(entry(protocol, port, keep=True)) == 0
    assert len(drop.messages) == 2
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    ("protocol", "dies_at"), [("imap", "STORE"), ("imap", "EXPUNGE"), ("pop3", "QUIT")]
)
def test_a_message_counts_once_though_its_removal_failed(protocol, dies_at):
    drop = Maildrop(dies_at=dies_at).put(*answers(1))
    with serve(protocol, drop) as port:
        with suppress(MailboxError):
            poll(entry(protocol, port))
        assert len(drop.messages) == 1
        drop.dies_at = ""
        drop.flags[1].clear()
        assert poll(entry(protocol, port)) == 1
    assert drop.messages == {}
    assert Event.objects.count() == 1


@protocols
def test_a_run_stops_at_its_limit(protocol):
    drop = Maildrop().put(*answers(5))
    with serve(protocol, drop) as port:
        assert [poll(entry(protocol, port), limit=2) for _ in range(4)] == [2, 2, 1, 0]


@protocols
def test_an_oversize_message_is_left_alone_and_holds_up_nothing(protocol):
    drop = Maildrop(size_of={1: 50_000_000}).put(*answers(2))
    with serve(protocol, drop) as port:
        assert poll(entry(protocol, port), limit=1) == 0
        assert poll(entry(protocol, port), limit=1) == 1
    assert list(drop.messages) == [1]


@protocols
def test_a_message_that_cannot_be_handled_is_left_alone(protocol, monkeypatch):
    def fail(_raw):
        raise RuntimeError("a bug of ours")

    drop = Maildrop().put(*answers(1))
    with serve(protocol, drop) as port, monkeypatch.context() as patched:
        patched.setattr(mailbox_module, "handle", fail)
        assert poll(entry(protocol, port)) == 0
        patched.undo()
        assert poll(entry(protocol, port)) == 0
    assert len(drop.messages) == 1


@protocols
def test_without_a_database_everything_waits(protocol, monkeypatch):
    def fail(_raw):
        raise OperationalError("gone")

    drop = Maildrop().put(*answers(2))
    with serve(protocol, drop) as port:
        with monkeypatch.context() as patched:
            patched.setattr(mailbox_module, "handle", fail)
            with pytest.raises(OperationalError):
                poll(entry(protocol, port))
        assert poll(entry(protocol, port)) == 2


def test_a_folder_with_a_space_is_read_and_moved_from():
    drop = Maildrop().put(*answers(1))
    with serve("imap", drop) as port:
        box = entry("imap", port, folder="Bounces here", move_to="Done")
        assert poll(box) == 1
    assert drop.messages == {}
    assert [folder for folder, _raw in drop.moved] == ['"Done"']


def test_a_pop_server_without_uidl_is_read():
    drop = Maildrop(has_uidl=False).put(*answers(2))
    with serve("pop3", drop) as port:
        assert poll(entry("pop3", port)) == 2
    assert drop.messages == {}


def test_a_line_too_long_for_pop_ends_one_session_only():
    drop = Maildrop().put(mail("x" * 5_000, From=READER), *answers(1))
    with serve("pop3", drop) as port:
        with pytest.raises(MailboxError, match="line too long"):
            poll(entry("pop3", port))
        assert poll(entry("pop3", port)) == 1
    assert list(drop.messages) == [1]


@protocols
@pytest.mark.parametrize("fault", ["password", "closed", "silent"])
def test_trouble_with_the_server_has_one_name(protocol, fault):
    drop = Maildrop(dies_at={"silent": "LIST" if protocol == "pop3" else "SEARCH"}.get(fault, ""))
    with serve(protocol, drop) as port:
        box = entry(protocol, port if fault != "closed" else 1)
        if fault == "password":
            box["password"] = "wrong"
        with pytest.raises(MailboxError, match=f"^{protocol}://bounce@127.0.0.1") as caught:
            poll(box)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "mail.example"},
        {"protocol": "smtp"},
        {"ssl": "maybe"},
        {"colour": "red"},
        {"unknown": 1},
    ],
)
def test_wrong_settings_are_refused_before_anything_is_sent(wrong):
    with pytest.raises(MailboxError):
        poll(entry("imap", 1) | wrong)


def test_the_task_reads_every_mailbox_though_one_is_away(settings, caplog):
    with (
        serve("imap", Maildrop().put(*answers(1))) as imap,
        serve("pop3", Maildrop().put(*answers(3)[1:])) as pop,
    ):
        boxes = [entry("imap", 1), entry("imap", imap), entry("pop3", pop)]
        settings.WAGTAIL_EMAIL_INSIGHTS = {"mailboxes": boxes}
        assert poll_mailboxes() == 3
    assert "cannot be read" in caplog.text
