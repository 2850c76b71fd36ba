"""What an idle worker does without being called."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from wagtail_email_insights import queue
from wagtail_email_insights.mailings.models import Delivery, DeliveryState, Mailing, MailingState
from wagtail_email_insights.sending import actions, leases, standby
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.sending.reaper import BACK_OFF, SILENCE, run_due
from wagtail_email_insights.sending.transitions import finish


@pytest.fixture
def started(mailing):
    """A mailing that is prepared, and of which nothing has been sent."""
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=0)
    return mailing


def worked(mailing: Mailing, *, ago: timedelta, **changes: object) -> None:
    Mailing.objects.filter(pk=mailing.pk).update(worked_at=timezone.now() - ago, **changes)


@pytest.fixture
def alone(monkeypatch):
    """A database in which workers stay out of each other's way by sending one at a time."""
    monkeypatch.setattr(standby, "rows_can_be_skipped", lambda: False)


@pytest.mark.usefixtures("alone")
def test_a_mailing_that_lost_its_worker_is_taken_up(started):
    worked(started, ago=SILENCE * 2)
    standby.look_around()
    assert len(mail.outbox) == 3
    started.refresh_from_db()
    assert started.state == MailingState.SENT


@pytest.mark.usefixtures("alone")
def test_a_mailing_that_somebody_works_on_is_left_alone(started):
    worked(started, ago=SILENCE / 2)
    standby.look_around()
    assert mail.outbox == []


def test_work_is_shared_where_the_database_can_skip_rows(started, monkeypatch):
    monkeypatch.setattr(standby, "rows_can_be_skipped", lambda: True)
    worked(started, ago=timedelta(0))
    standby.look_around()
    assert len(mail.outbox) == 3


def test_nobody_joins_where_the_mail_server_makes_trouble(started, monkeypatch):
    monkeypatch.setattr(standby, "rows_can_be_skipped", lambda: True)
    worked(started, ago=SILENCE * 2, sender_errors=1)
    standby.look_around()
    assert mail.outbox == []


def test_trouble_with_the_mail_server_is_not_met_with_hurry(started):
    worked(started, ago=SILENCE * 2, sender_errors=1)
    assert run_due() == []
    worked(started, ago=BACK_OFF * 2)
    assert run_due() == [started]


def test_copies_of_a_dead_worker_need_no_silence(started):
    worked(started, ago=timedelta(0))
    assert run_due() == []
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.update(state=DeliveryState.CLAIMED, lease_owner=1, lease_until=past)
    assert run_due() == [started]
    assert leases.expire_leases() == set()


def test_a_busy_worker_takes_nothing_up(started, monkeypatch):
    monkeypatch.setattr(queue, "is_idle", lambda: False)
    worked(started, ago=SILENCE * 2)
    standby.look_around()
    assert mail.outbox == []


def test_a_copy_that_waits_for_its_hour_is_no_work(started, caplog):
    Delivery.objects.update(not_before=timezone.now() + timedelta(hours=1))
    worked(started, ago=SILENCE * 2)
    standby.look_around()
    assert caplog.messages == []


def test_a_mailing_that_is_still_prepared_is_not_finished(mailing):
    """Its copies are not written yet, which is not the same as none being left."""
    actions.start(mailing)
    mailing.refresh_from_db()
    assert not finish(mailing)
    Mailing.objects.filter(pk=mailing.pk).update(state=MailingState.SENDING)
    assert finish(mailing)
