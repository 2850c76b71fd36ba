"""The database goes away for a moment: what the mail server said is not forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.utils import timezone

from wagtail_email_insights.mail.connections import Connection
from wagtail_email_insights.mailings.models import DeliveryState, MailingState
from wagtail_email_insights.mailings.queries import progress
from wagtail_email_insights.sending import actions, batches, patience
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.sending.leases import Lease, expire_leases
from wagtail_email_insights.sending.patience import insist

pytestmark = pytest.mark.django_db(transaction=True)


class Trouble:
    """Lets some calls of a function fail, counted from 1; *too_late* when it has done its work."""

    def __init__(self, function, *failing: int, too_late: bool = False) -> None:
        self.function = function
        self.failing = failing
        self.too_late = too_late
        self.calls = 0

    def __call__(self, *args, **options):
        self.calls += 1
        if self.calls in self.failing:
            if self.too_late:
                self.function(*args, **options)
            raise OperationalError("away")
        return self.function(*args, **options)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(patience, "INTERVAL", 0)


@pytest.fixture(autouse=True)
def one_by_one(settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"chunk_size": 1}


@pytest.fixture
def started(mailing):
    actions.start(mailing)
    mailing.refresh_from_db()
    batches.prepare(mailing)
    mailing.refresh_from_db()
    return mailing


def assert_everybody_has_one(mailing) -> None:
    mailing.refresh_from_db()
    assert mailing.state == MailingState.SENT
    assert progress(mailing).sent == 3
    assert sorted(message.to[0] for message in mail.outbox) == [
        "c0@example.org",
        "c1@example.org",
        "c2@example.org",
    ]


@pytest.mark.parametrize("too_late", [False, True])
@pytest.mark.parametrize("failing", [(1,), (2,), (2, 3), (4,), (4, 5, 6)])
def test_writing_down_is_tried_again(started, monkeypatch, failing, too_late):
    monkeypatch.setattr(batches, "settle", Trouble(batches.settle, *failing, too_late=too_late))
    work_on(started, seconds=30)
    assert_everybody_has_one(started)


@pytest.mark.parametrize("too_late", [False, True])
@pytest.mark.parametrize("failing", [(1,), (2,), (3, 4)])
def test_going_on_is_tried_again(started, monkeypatch, failing, too_late):
    """Too late: the commit went through and its answer was lost."""
    monkeypatch.setattr(batches, "_begin", Trouble(batches._begin, *failing, too_late=too_late))
    work_on(started, seconds=30)
    assert_everybody_has_one(started)


@pytest.mark.parametrize("name", ["renew", "claim"])
def test_whatever_else_fails_what_is_known_is_written_down(started, monkeypatch, name):
    trouble = Trouble(getattr(Lease, name), 2)

    def call(self, *args):
        return trouble(self, *args)

    monkeypatch.setattr(Lease, name, call)
    with pytest.raises(OperationalError):
        work_on(started, seconds=30)
    assert progress(started).sent == len(mail.outbox) > 0
    assert not started.deliveries.filter(state=DeliveryState.HANDING_OVER).exists()


def test_an_error_in_the_middle_of_a_chunk_forgets_nothing_before_it(
    started, monkeypatch, settings
):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"chunk_size": 3}
    hand_over, handed_over = Connection.hand_over, []

    def fail_at_the_second(self, message):
        handed_over.append(message)
        if len(handed_over) == 2:
            raise KeyError("a mistake of ours")
        return hand_over(self, message)

    monkeypatch.setattr(Connection, "hand_over", fail_at_the_second)
    with pytest.raises(KeyError):
        work_on(started, seconds=30)
    assert progress(started).sent == 1
    # Whether the other two went out, nobody can tell: nobody may try them again.
    started.deliveries.update(lease_until=timezone.now() - timedelta(seconds=1))
    expire_leases()
    assert progress(started).uncertain == 2


def test_a_database_that_stays_away_is_told_of(started, monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE", -1)
    monkeypatch.setattr(batches, "settle", Trouble(batches.settle, *range(2, 99)))
    with pytest.raises(OperationalError):
        work_on(started, seconds=30)
    started.deliveries.update(lease_until=timezone.now() - timedelta(seconds=1))
    expire_leases()
    assert (progress(started).uncertain, len(mail.outbox)) == (1, 1)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_the_connection_is_made_anew(error, monkeypatch, caplog):
    calls = []

    def store() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise error("the connection was closed")
        return "stored"

    assert insist(store) == "stored"
    assert caplog.text.count("trying again: the connection was closed") == 2


def test_what_is_wrong_by_itself_is_not_tried_again():
    calls = []

    def store() -> None:
        calls.append(1)
        raise ProgrammingError("no such table")

    with pytest.raises(ProgrammingError):
        insist(store)
    assert len(calls) == 1


@pytest.mark.django_db(transaction=False)
def test_a_transaction_that_is_broken_is_not_gone_on_with(db):
    trouble = Trouble(lambda: None, 1)
    with pytest.raises(OperationalError):
        insist(trouble)
    assert trouble.calls == 1
