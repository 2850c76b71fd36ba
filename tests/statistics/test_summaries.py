from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from wagtail.models import Site

from tests.factories import make_email
from tests.statistics.sums import NOW, sent, tally
from wagtail_email_insights.mail import MailError
from wagtail_email_insights.site_settings.models import EmailSettings
from wagtail_email_insights.statistics import alerts, mails, summaries, tasks
from wagtail_email_insights.statistics.summaries import last_period, send_due

pytestmark = pytest.mark.django_db
DAYS = timedelta(days=1)
# NOW is a Thursday; the week before it ended on the Monday.
MONDAY = datetime(2026, 6, 15, tzinfo=UTC)


@pytest.fixture
def weekly():
    site = Site.objects.get(is_default_site=True)
    return EmailSettings.objects.create(
        site=site, summary_rhythm="weekly", summary_to="ann@example.org"
    )


@pytest.fixture
def last_week():
    """One mailing of last week that was clicked, and one of the week before."""
    newer = sent(make_email("Roses"), ago=NOW - MONDAY + 2 * DAYS)
    older = sent(make_email("Tulips"), ago=NOW - MONDAY + 9 * DAYS)
    tally(newer, opened=300, opens=400, clicked=120, clicks=150, unsubscribed=2)
    tally(older, opened=200, opens=250, clicked=80, clicks=90)
    return newer


@pytest.mark.parametrize(
    ("rhythm", "now", "start", "end"),
    [
        ("daily", "2026-06-18T07:00", "2026-06-17", "2026-06-18"),
        ("daily", "2026-06-18T06:59", "2026-06-16", "2026-06-17"),
        ("weekly", "2026-06-18T12:00", "2026-06-08", "2026-06-15"),
        ("weekly", "2026-06-15T07:00", "2026-06-08", "2026-06-15"),
        ("weekly", "2026-06-15T06:59", "2026-06-01", "2026-06-08"),
        ("monthly", "2026-06-18T12:00", "2026-05-01", "2026-06-01"),
        ("monthly", "2026-01-01T07:00", "2025-12-01", "2026-01-01"),
        ("monthly", "2026-01-01T06:00", "2025-11-01", "2025-12-01"),
    ],
)
def test_a_period_is_over_on_the_morning_after_it(rhythm, now, start, end):
    found = last_period(rhythm, datetime.fromisoformat(f"{now}+00:00"))
    assert [day.date().isoformat() for day in found] == [start, end]


def test_days_are_those_of_the_site(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    start, end = last_period("daily", datetime(2026, 3, 29, 5, 30, tzinfo=UTC))
    assert (start, end) == (
        datetime(2026, 3, 27, 23, tzinfo=UTC),
        datetime(2026, 3, 28, 23, tzinfo=UTC),
    ), "on the morning on which the clock goes forward, an hour is missing"


def test_it_tells_what_was_sent_and_how_it_was_received(weekly, last_week):
    assert send_due(NOW) == 1
    [message] = mail.outbox
    assert message.to == ["ann@example.org"]
    assert message.subject.endswith("your e-mails, June 8, 2026 – June 14, 2026")
    for text in (
        "Clicked: 120 (12.0 %), before: 80 (8.0 %)",
        "* Roses\n  delivered 1,000, opened 30.0 %, clicked 12.0 %, unsubscribed 2",
        f"http://testserver/admin/email-insights/emails/statistics/{last_week.email_id}/",
    ):
        assert text in message.body
    assert "Tulips" not in message.body
    html = message.alternatives[0][0]
    assert "120 (12.0 %)" in html
    assert f"statistics/{last_week.email_id}/" in html


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ("2026-06-18T12:00", "Sent: 1,000 (100.0 %), before: 2,000"),
        ("2026-05-18T12:00", "Sent: 2,000 (100.0 %), before: 1,000"),
        ("2026-04-18T12:00", "Sent: 1,000 (100.0 %), before: –"),
    ],
)
def test_a_month_is_compared_with_the_month_before(weekly, now, before):
    weekly.summary_rhythm = "monthly"
    weekly.save()
    for day in ("2026-03-31", "2026-04-01", "2026-04-30", "2026-05-31"):
        sent(ago=NOW - datetime.fromisoformat(f"{day}T09:00+00:00"))
    send_due(datetime.fromisoformat(f"{now}+00:00"))
    assert before in mail.outbox[0].body


def test_best_and_worst_are_of_mailings_large_enough(weekly, last_week):
    poor = sent(make_email("Nettles"), ago=NOW - MONDAY + DAYS)
    tally(poor, opened=100, clicked=10)
    tiny = sent(make_email("Daisies"), ago=NOW - MONDAY + DAYS, delivered=5)
    tally(tiny, opened=5, clicked=5)
    send_due(NOW)
    body = mail.outbox[0].body
    assert "Most clicked: Roses, 12.0 %." in body
    assert "Least clicked: Nettles, 1.0 %." in body


def test_what_looks_wrong_stands_in_it(weekly, last_week):
    tally(last_week, opened=300, clicked=120, unsubscribed=50)
    alerts.refresh(NOW)
    send_due(NOW)
    assert "Roses: Many unsubscribe. 50 of 1,000 left (5.0 %)." in mail.outbox[0].body


def test_once_a_period(weekly, last_week):
    assert send_due(NOW) == 1
    assert send_due(NOW + DAYS) == 0
    sent(ago=-2 * DAYS)
    assert send_due(NOW + 7 * DAYS) == 1


def test_two_workers_send_one(weekly, last_week, monkeypatch):
    """Both have read the settings before either sends."""
    stale = EmailSettings.objects.select_related("site").get()
    assert summaries._try_to_send(stale, NOW)
    assert not summaries._try_to_send(stale, NOW)
    assert len(mail.outbox) == 1


def test_nothing_sent_is_no_mail(weekly):
    assert send_due(NOW) == 0
    assert mail.outbox == []


@pytest.mark.parametrize("change", [{"summary_rhythm": ""}, {"summary_to": ""}])
def test_nobody_asked_for_it(weekly, last_week, change):
    EmailSettings.objects.update(**change)
    assert send_due(NOW) == 0


def test_what_the_mail_server_refuses_is_sent_later(weekly, last_week, monkeypatch):
    def refuse(**_kwargs):
        raise MailError("away")

    with monkeypatch.context() as patched:
        patched.setattr(mails.mail, "send_transactional", refuse)
        assert send_due(NOW) == 0
    assert send_due(NOW) == 1


def test_one_bad_address_does_not_keep_the_others_waiting(weekly, last_week, monkeypatch):
    EmailSettings.objects.update(summary_to="bad@example.org\nann@example.org")
    send = mails.mail.send_transactional

    def send_to_good_ones(**message):
        if message["to"] == "bad@example.org":
            raise MailError("no such user")
        send(**message)

    monkeypatch.setattr(mails.mail, "send_transactional", send_to_good_ones)
    assert send_due(NOW) == 1
    assert send_due(NOW) == 0
    assert [message.to for message in mail.outbox] == [["ann@example.org"]]


def test_each_site_gets_its_own(weekly, last_week):
    other = Site.objects.create(
        hostname="other.example", root_page=weekly.site.root_page, is_default_site=False
    )
    EmailSettings.objects.create(site=other, summary_rhythm="weekly", summary_to="cy@example.org")
    last_week.site = other
    last_week.save()
    assert send_due(NOW) == 1
    assert mail.outbox[0].to == ["cy@example.org"]


def test_titles_cannot_break_the_mail(weekly):
    sent(make_email("<b>&\r\nBcc: x@example.org"), ago=NOW - MONDAY + DAYS)
    send_due(NOW)
    assert "&lt;b&gt;&amp;" in mail.outbox[0].alternatives[0][0]


def test_the_task_sends_them(weekly):
    assert tasks.send_summaries() == 0


@pytest.mark.parametrize(
    ("fields", "is_valid"),
    [
        ({"summary_to": "ann@example.org, bob@example.org"}, True),
        ({"summary_to": "ann"}, False),
        ({"summary_rhythm": "daily"}, False),
        ({"mail_alerts": True}, False),
        ({}, True),
    ],
)
def test_addresses_are_checked_when_they_are_entered(fields, is_valid):
    settings_of_site = EmailSettings(site=Site.objects.get(is_default_site=True), **fields)
    if is_valid:
        settings_of_site.full_clean()
    else:
        with pytest.raises(ValidationError) as caught:
            settings_of_site.full_clean()
        assert list(caught.value.message_dict) == ["summary_to"]
