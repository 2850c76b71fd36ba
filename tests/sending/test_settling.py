"""What each answer of a mail server makes of a copy, and of its mailing."""

from __future__ import annotations

import pytest

from wagtail_email_insights.mail import HandOver, Outcome
from wagtail_email_insights.mail.connections import Connection
from wagtail_email_insights.mailings.models import DeliveryState, MailingState
from wagtail_email_insights.mailings.queries import progress
from wagtail_email_insights.sending import actions
from wagtail_email_insights.sending.batches import work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def answer(monkeypatch):
    """Have the mail server answer every copy with one outcome."""

    def set_answer(outcome: Outcome) -> None:
        monkeypatch.setattr(
            Connection, "hand_over", lambda self, message: HandOver(outcome, "550 words")
        )

    return set_answer


@pytest.fixture
def started(mailing):
    actions.start(mailing)
    mailing.refresh_from_db()
    return mailing


@pytest.mark.parametrize(
    ("outcome", "state", "attempts"),
    [
        (Outcome.ACCEPTED, DeliveryState.SENT, 1),
        (Outcome.REFUSED, DeliveryState.FAILED, 1),
        (Outcome.DEFERRED, DeliveryState.RETRY, 1),
        (Outcome.UNCERTAIN, DeliveryState.UNCERTAIN, 1),
        (Outcome.SENDER_REFUSED, DeliveryState.QUEUED, 0),
        (Outcome.UNREACHABLE, DeliveryState.QUEUED, 0),
    ],
)
def test_each_outcome_leads_to_its_state(started, answer, outcome, state, attempts):
    answer(outcome)
    work_on(started, seconds=5)
    assert {
        (delivery.state, delivery.attempts, delivery.lease_owner)
        for delivery in started.deliveries.all()
    } == {(state, attempts, None)}
    assert progress(started).audience == 3


def test_a_copy_deferred_too_often_has_failed(started, answer, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"max_attempts": 2}
    answer(Outcome.DEFERRED)
    for _turn in range(2):
        started.deliveries.update(not_before=None)
        work_on(started, seconds=5)
    assert progress(started).failed == 3


@pytest.mark.parametrize("outcome", [Outcome.SENDER_REFUSED, Outcome.UNREACHABLE])
def test_repeated_trouble_of_the_sender_pauses_and_says_why(started, answer, settings, outcome):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"max_sender_errors": 2}
    answer(outcome)
    work_on(started, seconds=5)
    started.refresh_from_db()
    assert started.state == MailingState.SENDING
    work_on(started, seconds=5)
    started.refresh_from_db()
    assert (started.state, started.state_reason) == (MailingState.PAUSED, "550 words")
    assert progress(started).waiting == 3


def test_one_good_answer_forgives_the_trouble_before(started, answer):
    answer(Outcome.UNREACHABLE)
    work_on(started, seconds=5)
    answer(Outcome.ACCEPTED)
    started.refresh_from_db()
    work_on(started, seconds=5)
    started.refresh_from_db()
    assert (started.state, started.sender_errors) == (MailingState.SENT, 0)
