"""The database goes away for a moment: what the mail server said is not forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import InterfaceError, OperationalError, ProgrammingError, connection, transaction
from django.utils import timezone

from wagtail_email_insights.mail import HandOver, Outcome
from wagtail_email_insights.mail.connections import Connection
from wagtail_email_insights.mailings.models import Delivery, DeliveryState, Mailing, MailingState
from wagtail_email_insights.mailings.queries import progress
from wagtail_email_insights.sending import actions, batches, patience, reaper
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.sending.leases import Lease, expire_leases
from wagtail_email_insights.sending.patience import PATIENCE, Patience
from wagtail_email_insights.site_settings.models import Sender

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


@pytest.fixture
def in_one_chunk(settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"chunk_size": 3}


@pytest.fixture
def answers(monkeypatch):
    """What the mail server says to each copy, after *before* was called."""

    def set_answer(outcome, before=lambda: None) -> list:
        tried = []

        def hand_over(self, message):
            tried.append(message.to)
            before()
            return HandOver(outcome, "451 words")

        monkeypatch.setattr(Connection, "hand_over", hand_over)
        return tried

    return set_answer


def states(mailing) -> list[str]:
    return sorted(mailing.deliveries.values_list("state", flat=True))


def run_out(mailing, see=expire_leases) -> None:
    """Let the lease of each copy run out, and have somebody *see* it."""
    held = [DeliveryState.CLAIMED, DeliveryState.HANDING_OVER]
    mailing.deliveries.filter(state__in=held).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
    see()


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


def test_with_a_sender_of_its_own_too(started, monkeypatch):
    """Its pace is asked between two chunks, and what became of the first is settled before."""
    started.sender = Sender.objects.create(name="News", from_email="news@example.org")
    started.save()
    monkeypatch.setattr(batches, "settle", Trouble(batches.settle, 3, 6))
    work_on(started, seconds=30)
    assert_everybody_has_one(started)


@pytest.mark.parametrize("too_late", [False, True])
@pytest.mark.parametrize("failing", [(1,), (2,), (3, 4)])
def test_going_on_is_tried_again(started, monkeypatch, failing, too_late):
    """Too late: the commit went through and its answer was lost."""
    monkeypatch.setattr(batches, "_begin", Trouble(batches._begin, *failing, too_late=too_late))
    work_on(started, seconds=30)
    assert_everybody_has_one(started)


def test_whatever_else_fails_what_is_known_is_written_down(started, monkeypatch):
    trouble = Trouble(Lease.renew, 2)

    def renew(self):
        return trouble(self)

    monkeypatch.setattr(Lease, "renew", renew)
    monkeypatch.setattr(batches, "settle", Trouble(batches.settle, 2))
    with pytest.raises(OperationalError):
        work_on(started, seconds=30)
    assert states(started) == ["claimed", "claimed", "sent"]
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("error", [KeyError, SystemExit])
def test_an_error_in_the_middle_leaves_only_its_own_copy_in_doubt(
    started, monkeypatch, in_one_chunk, error
):
    hand_over, handed_over = Connection.hand_over, []

    def fail_at_the_second(self, message):
        handed_over.append(message)
        if len(handed_over) == 2:
            raise error("a mistake of ours")
        return hand_over(self, message)

    monkeypatch.setattr(Connection, "hand_over", fail_at_the_second)
    monkeypatch.setattr(batches, "settle", Trouble(batches.settle, 2))
    with pytest.raises(error):
        work_on(started, seconds=30)
    assert states(started) == ["queued", "sent", "uncertain"]
    doubtful = started.deliveries.get(state=DeliveryState.UNCERTAIN)
    assert "a mistake of ours" in doubtful.error
    work_on(started, seconds=30)
    assert states(started) == ["sent", "sent", "uncertain"]
    assert len(handed_over) == 3


def test_mail_server_and_database_away_together(started, answers, in_one_chunk, monkeypatch):
    tried = answers(Outcome.UNREACHABLE)
    monkeypatch.setattr(batches, "_sender_is_well", Trouble(batches._sender_is_well, 1))
    with pytest.raises(OperationalError):
        work_on(started, seconds=5)
    assert len(tried) == 1
    assert states(started) == ["queued"] * 3


@pytest.mark.parametrize("what", ["cancel", "pause"])
def test_somebody_stops_it_while_the_mail_server_is_in_trouble(started, answers, settings, what):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"max_sender_errors": 1, "chunk_size": 3}
    stop = getattr(actions, what)
    answers(Outcome.UNREACHABLE, before=lambda: stop(Mailing.objects.get(pk=started.pk)))
    work_on(started, seconds=5)
    assert states(started) == {"cancel": ["skipped"] * 3, "pause": ["queued"] * 3}[what]


@pytest.mark.parametrize("outcome", [Outcome.DEFERRED, Outcome.UNREACHABLE])
def test_of_a_cancelled_mailing_nothing_waits(started, answers, in_one_chunk, outcome):
    answers(outcome, before=lambda: _cancel_once(started))
    work_on(started, seconds=5)
    assert states(started) == ["skipped"] * 3
    assert progress(started).waiting == 0


def _cancel_once(mailing) -> None:
    mailing = Mailing.objects.get(pk=mailing.pk)
    if mailing.state == MailingState.SENDING:
        actions.cancel(mailing)


FINAL = {Outcome.ACCEPTED: "sent", Outcome.REFUSED: "failed"}


@pytest.mark.parametrize("outcome", [*FINAL, Outcome.DEFERRED, Outcome.UNREACHABLE])
def test_a_worker_that_hears_late_is_believed(started, answers, in_one_chunk, monkeypatch, outcome):
    """Its lease ran out, its copies counted as uncertain, and the mailing as sent."""
    answers(outcome)
    settle, calls = batches.settle, []

    def too_slow(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            run_out(started, see=reaper.run_due)
            assert Mailing.objects.get(pk=started.pk).state == MailingState.SENT
        return settle(*args, **options)

    monkeypatch.setattr(batches, "settle", too_slow)
    work_on(started, seconds=5)
    started.refresh_from_db()
    if outcome in FINAL:
        assert (started.state, states(started)) == (MailingState.SENT, [FINAL[outcome]] * 3)
        return
    waits = "retry" if outcome is Outcome.DEFERRED else "queued"
    assert (started.state, states(started)) == (MailingState.SENDING, [waits] * 3)
    assert set(started.deliveries.values_list("settled_at", flat=True)) == {None}
    started.deliveries.update(not_before=None)
    assert len(Lease(started).claim(9)) == 3


def test_what_an_editor_decided_meanwhile_stands(started, answers, in_one_chunk, monkeypatch):
    answers(Outcome.UNREACHABLE)
    settle, calls = batches.settle, []

    def too_slow(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            run_out(started)
            actions.count_uncertain_as_sent(started)
        return settle(*args, **options)

    monkeypatch.setattr(batches, "settle", too_slow)
    work_on(started, seconds=5)
    assert states(started) == ["sent"] * 3


def test_cancelled_before_it_is_known_that_the_chunk_was_begun(started, monkeypatch, in_one_chunk):
    begin, calls = batches._begin, []

    def answer_lost(*args):
        calls.append(1)
        begun = begin(*args)
        if len(calls) == 1:
            actions.cancel(Mailing.objects.get(pk=started.pk))
            raise OperationalError("away")
        return begun

    monkeypatch.setattr(batches, "_begin", answer_lost)
    work_on(started, seconds=5)
    assert states(started) == ["skipped"] * 3
    assert not mail.outbox


class TestNoPatienceLeft:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch):
        monkeypatch.setattr(patience, "PATIENCE", -1)

    def test_a_database_that_stays_away_is_told_of(self, started, monkeypatch):
        monkeypatch.setattr(batches, "settle", Trouble(batches.settle, *range(2, 99)))
        with pytest.raises(OperationalError):
            work_on(started, seconds=30)
        run_out(started)
        assert (progress(started).uncertain, len(mail.outbox)) == (1, 1)

    def test_what_was_begun_and_not_handed_over_waits_again(self, started, monkeypatch):
        monkeypatch.setattr(batches, "_begin", Trouble(batches._begin, 1, too_late=True))
        with pytest.raises(OperationalError):
            work_on(started, seconds=30)
        assert "handing_over" not in states(started)
        run_out(started)
        assert states(started) == ["queued"] * 3
        assert not mail.outbox


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_the_connection_is_made_anew(error, monkeypatch, caplog):
    closed: list[int] = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(len(calls)))
    calls = []

    def store() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise error("the connection was closed")
        return "stored"

    assert Patience().insist(store) == "stored"
    assert closed == [1, 2]
    assert caplog.text.count("trying again: the connection was closed") == 2


def test_patience_is_had_once_and_grows_back(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self) -> float:
            return self.now

        def sleep(self, seconds: float) -> None:
            self.now += 1

    clock = Clock()
    monkeypatch.setattr(patience, "time", clock)
    tries = Patience()
    with pytest.raises(OperationalError):
        tries.insist(Trouble(lambda: None, *range(1, 999)))
    assert PATIENCE <= clock.now <= PATIENCE + 1
    used, last = clock.now, Trouble(lambda: None, *range(1, 999))
    with pytest.raises(OperationalError):
        tries.insist(last)
    assert (clock.now, last.calls) == (used, 1)
    tries.insist(lambda: None)
    tries.insist(Trouble(lambda: None, 1, 2, 3))
    assert clock.now == used + 3


def test_what_is_wrong_by_itself_is_not_tried_again():
    calls = []

    def store() -> None:
        calls.append(1)
        raise ProgrammingError("no such table")

    with pytest.raises(ProgrammingError):
        Patience().insist(store)
    assert len(calls) == 1


def test_a_transaction_that_is_broken_is_not_gone_on_with():
    trouble = Trouble(lambda: None, 1)
    with pytest.raises(OperationalError), transaction.atomic():
        Patience().insist(trouble)
    assert trouble.calls == 1


def test_a_second_turn_in_the_same_process_waits_no_longer_than_it_has(started):
    """It may be a task, which the queue ends when its time is over."""
    with batches._one_turn_at_a_time:
        assert work_on(started, seconds=0.05)
    assert Delivery.objects.filter(state=DeliveryState.QUEUED).count() == 3
    work_on(started, seconds=30)
    assert_everybody_has_one(started)
