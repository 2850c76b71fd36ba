from __future__ import annotations

import pytest
from django.db.models import F

from tests.factories import make_email
from tests.statistics.sent import copies_of, happen, make_sent
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.statistics.queries import with_kpis

pytestmark = pytest.mark.django_db


def test_the_list_can_be_sorted_by_a_rate():
    often, seldom = make_sent("sent", "sent"), make_sent("sent", "sent")
    make_email("Never sent")
    for key in (-1, -2):
        happen(often, "click", key)
    happen(seldom, "click", -1)
    ordering = F("kpi_click_rate").desc(nulls_last=True)
    rates = [email.kpi_click_rate for email in with_kpis(Email.objects.all()).order_by(ordering)]
    assert rates == [1.0, 0.5, None]


def test_a_mailing_under_way_is_counted_as_it_stands():
    mailing = make_sent("sent", "queued", state="sending")
    happen(mailing, "click", -1)
    [email] = with_kpis(Email.objects.all())
    assert (email.kpi_sent, email.kpi_click_rate) == (1, 1.0)
    mailing.deliveries.filter(state="queued").update(state="sent")
    [email] = with_kpis(Email.objects.all())
    assert (email.kpi_sent, email.kpi_click_rate) == (2, 0.5)


def test_settled_and_running_mailings_of_one_email_are_added_up():
    mailing = make_sent("sent", "sent")
    happen(mailing, "hard_bounce", copies_of(mailing)[0])
    running = make_sent("sent", "queued", email=mailing.email, state="sending")
    happen(running, "unsubscribe", copies_of(running)[0])
    for _ in range(2):
        [email] = with_kpis(Email.objects.all())
        assert (email.kpi_sent, email.kpi_delivered, email.kpi_unsubscribed) == (3, 2, 1)


def test_the_list_costs_the_same_for_many_emails_and_events(queries_of):
    def listed() -> None:
        list(with_kpis(Email.objects.all()))

    happen(make_sent("sent"), "click", -1)
    happen(make_sent("sent", state="sending"), "click", -1)
    listed()
    few = queries_of(listed)
    for number in range(8):
        mailing = make_sent("sent", "sent", state="sending" if number % 2 else "sent")
        for key in range(5):
            happen(mailing, "click", -key - 1)
    listed()
    assert queries_of(listed) == few
