"""Two at once, on a database with row locks."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.core import mail
from django.db import connection, connections
from django.utils import timezone

from tests.factories import make_contact, make_list, make_mailing, subscribe
from wagtail_email_insights.consents import actions as consent_actions
from wagtail_email_insights.consents.queries import tracking_consent
from wagtail_email_insights.contacts import actions as contact_actions
from wagtail_email_insights.mailings.models import Delivery
from wagtail_email_insights.subscriptions import flows
from wagtail_email_insights.subscriptions.departures import Departure
from wagtail_email_insights.tracking import actions, taking_in
from wagtail_email_insights.tracking.hits import Observation
from wagtail_email_insights.tracking.models import Event, EventKind

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

PATIENCE = 1.0
"""Seconds that one side dawdles, for the other to overtake it if it can."""


@pytest.fixture(autouse=True)
def _row_locks():
    if not connection.features.has_select_for_update:
        pytest.skip("needs PostgreSQL: set DATABASE_URL")


def both(*actions: Callable[[], object]) -> None:
    """Run *actions* at the same time, each on a connection of its own."""
    errors: list[Exception] = []

    def run(action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []


@pytest.fixture
def contact():
    return make_contact("ann@example.org", agrees=True)


@pytest.fixture
def opened(contact):
    delivery = Delivery.objects.create(
        mailing=make_mailing(), contact=contact, state="sent", identified=True
    )
    return Observation(
        "open", timezone.now(), delivery.mailing_id, None, True, delivery.pk, 0, "human", ""
    )


def test_an_open_is_never_kept_with_the_name_after_a_withdrawal(contact, opened, monkeypatch):
    asked, withdrawn = threading.Event(), threading.Event()
    known_among = taking_in.consents.known_among

    def ask_and_dawdle(contact_ids) -> set[int]:
        answer = known_among(contact_ids)
        asked.set()
        withdrawn.wait(PATIENCE)
        return answer

    def withdraw() -> None:
        asked.wait(10)
        consent_actions.withdraw(contact, tracking_consent())
        withdrawn.set()

    monkeypatch.setattr(taking_in.consents, "known_among", ask_and_dawdle)
    both(lambda: taking_in.take_in([opened]), withdraw)
    assert Event.objects.get().contact is None


def test_an_open_that_waited_for_the_withdrawal_sees_it(contact, opened, monkeypatch):
    stripped = threading.Event()
    strip = actions.lock_contacts

    def strip_and_dawdle(contact_id: int) -> None:
        strip(contact_id)
        stripped.set()
        threading.Event().wait(PATIENCE)

    def record() -> None:
        stripped.wait(10)
        taking_in.take_in([opened])

    monkeypatch.setattr(actions, "lock_contacts", strip_and_dawdle)
    both(lambda: consent_actions.withdraw(contact, tracking_consent()), record)
    assert Event.objects.get().contact is None


@pytest.mark.parametrize("everything", [False, True])
def test_two_presses_at_once_unsubscribe_once(contact, monkeypatch, everything):
    news = make_list(send_goodbye_mail=True)
    subscribe(contact, news)
    departure = Departure(contact, make_mailing(None, news))
    set_status = contact_actions._set_status
    pressed = threading.Barrier(2)

    def dawdle(*args: object, **changes: object) -> None:
        threading.Event().wait(PATIENCE)
        set_status(*args, **changes)

    def press() -> None:
        pressed.wait(10)
        flows.leave(departure, everything=everything)

    monkeypatch.setattr(contact_actions, "_set_status", dawdle)
    both(press, press)
    assert Event.objects.filter(kind=EventKind.UNSUBSCRIBE).count() == 1
    assert len(mail.outbox) == 1
