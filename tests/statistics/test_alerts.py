from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import IntegrityError, connection, transaction
from wagtail.models import Site

from tests.statistics.sums import NOW, sent, tally
from wagtail_email_insights.mail import MailError
from wagtail_email_insights.mailings.models import Mailing
from wagtail_email_insights.site_settings.models import EmailSettings, Sender
from wagtail_email_insights.statistics import alerts, mails, tasks, telling
from wagtail_email_insights.statistics.models import Alert, Severity
from wagtail_email_insights.statistics.muting import mute

pytestmark = pytest.mark.django_db
DAYS = timedelta(days=1)


@pytest.fixture
def listening():
    site = Site.objects.get(is_default_site=True)
    return EmailSettings.objects.create(
        site=site, mail_alerts=True, summary_to="ann@example.org, ann@example.org\nbob@example.org"
    )


@pytest.fixture
def bad_mailing():
    mailing = sent(ago=DAYS)
    tally(mailing, unsubscribed=50)
    return mailing


def codes() -> list[str]:
    return list(Alert.objects.filter(over_at=None).values_list("code", flat=True))


def test_what_looks_wrong_is_raised_once(bad_mailing):
    [alert] = alerts.refresh(NOW)
    assert (alert.code, alert.email, alert.severity) == (
        "unsubscribe_spike",
        bad_mailing.email,
        Severity.WARNING,
    )
    assert alert.sentence == "50 of 1,000 left (5.0 %)."
    assert alerts.refresh(NOW) == []
    assert codes() == ["unsubscribe_spike"]


def test_it_is_over_when_it_no_longer_holds(bad_mailing):
    alerts.refresh(NOW)
    tally(bad_mailing, unsubscribed=0)
    alerts.refresh(NOW + DAYS)
    assert Alert.objects.get().over_at == NOW + DAYS


def test_an_email_is_watched_for_two_weeks(bad_mailing):
    alerts.refresh(NOW)
    alerts.refresh(NOW + 13 * DAYS)
    assert codes() == ["unsubscribe_spike"]
    alerts.refresh(NOW + 14 * DAYS)
    assert codes() == []


def test_a_muted_diagnostic_raises_none_and_ends_what_is_open(bad_mailing):
    alerts.refresh(NOW)
    mute(bad_mailing.email, "unsubscribe_spike")
    assert codes() == []
    assert alerts.refresh(NOW) == []


def test_one_that_is_muted_while_we_look_raises_none(bad_mailing, monkeypatch):
    look = alerts._findings

    def look_and_be_overtaken(now):
        findings = look(now)
        mute(bad_mailing.email, "unsubscribe_spike")
        return findings

    monkeypatch.setattr(alerts, "_findings", look_and_be_overtaken)
    assert alerts.refresh(NOW) == []


def test_another_worker_that_was_faster_is_no_trouble(bad_mailing, monkeypatch):
    look = alerts._findings

    def look_and_be_overtaken(now):
        findings = look(now)
        monkeypatch.setattr(alerts, "_findings", look)
        alerts.refresh(now)
        return findings

    monkeypatch.setattr(alerts, "_findings", look_and_be_overtaken)
    assert alerts.refresh(NOW) == []
    assert codes() == ["unsubscribe_spike"]


def test_the_database_refuses_a_second_open_alert_of_the_same(bad_mailing):
    [alert] = alerts.refresh(NOW)
    alert.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        alert.save(force_insert=True)


def test_notices_about_one_email_alarm_nobody():
    mailing = sent(ago=timedelta(minutes=5))
    tally(mailing, opened=400, opens=500)
    assert alerts.refresh(NOW) == []


def test_a_new_number_is_told_on_the_screen_only(bad_mailing, listening):
    alerts.refresh(NOW)
    telling.tell(NOW)
    tally(bad_mailing, unsubscribed=60)
    alerts.refresh(NOW)
    assert Alert.objects.get().sentence == "60 of 1,000 left (6.0 %)."
    assert telling.tell(NOW) == 0


class TestTelling:
    def test_each_colleague_hears_of_it_once(self, bad_mailing, listening):
        alerts.refresh(NOW)
        assert telling.tell(NOW) == 1
        assert telling.tell(NOW) == 0
        assert [message.to for message in mail.outbox] == [["ann@example.org"], ["bob@example.org"]]
        message = mail.outbox[0]
        assert message.subject == "Please look at “June news”"
        assert "June news: Many unsubscribe. 50 of 1,000 left (5.0 %)." in message.body
        assert "http://testserver/admin/email-insights/emails/statistics/" in message.body
        assert "<strong>Many unsubscribe.</strong>" in message.alternatives[0][0]
        assert message.extra_headers["Auto-Submitted"] == "auto-generated"

    def test_nobody_who_does_not_want_to(self, bad_mailing, listening):
        EmailSettings.objects.update(mail_alerts=False)
        alerts.refresh(NOW)
        assert telling.tell(NOW) == 0
        assert mail.outbox == []

    def test_several_at_once_are_one_mail(self, bad_mailing, listening):
        other = sent(ago=DAYS, delivered=900, hard=100)
        alerts.refresh(NOW)
        assert telling.tell(NOW) == 1
        assert mail.outbox[0].subject == "Your e-mails: 2 things to look at"
        assert str(other.email) in mail.outbox[0].body

    def test_what_the_mail_server_refuses_is_told_later(self, bad_mailing, listening, monkeypatch):
        alerts.refresh(NOW)

        def refuse(**_kwargs):
            raise MailError("away")

        with monkeypatch.context() as patched:
            patched.setattr(mails.mail, "send_transactional", refuse)
            assert telling.tell(NOW) == 0
        assert telling.tell(NOW) == 1
        assert len(mail.outbox) == 2

    def test_a_rate_that_swings_around_its_threshold_is_told_once(self, bad_mailing, listening):
        for unsubscribed in (50, 0, 50):
            tally(bad_mailing, unsubscribed=unsubscribed)
            alerts.refresh(NOW)
            telling.tell(NOW)
        assert len(mail.outbox) == 2
        assert codes() == ["unsubscribe_spike"]

    def test_one_that_gets_worse_is_told_again(self, listening):
        mailing = sent(ago=DAYS)
        for complained in (1, 3, 4):
            tally(mailing, complained=complained)
            alerts.refresh(NOW)
            telling.tell(NOW)
        assert len(mail.outbox) == 4
        assert Alert.objects.get().severity == Severity.CRITICAL

    def test_so_is_one_that_gets_worse_much_later(self, listening):
        mailing = sent(ago=DAYS)
        for days, complained in ((0, 1), (3, 4)):
            tally(mailing, complained=complained)
            alerts.refresh(NOW + days * DAYS)
            assert telling.tell(NOW + days * DAYS) == 1
        assert telling.tell(NOW + 3 * DAYS) == 0
        assert Alert.objects.get().raised_at == NOW

    def test_one_that_swings_is_told_once_how_bad_it_can_be(self, listening):
        mailing = sent(ago=DAYS)
        for days, complained in enumerate((1, 4, 1, 4, 1, 4)):
            tally(mailing, complained=complained)
            alerts.refresh(NOW + days * DAYS)
            told = telling.tell(NOW + days * DAYS)
            assert told == (days < 2)
        assert (Alert.objects.get().severity, Alert.objects.get().worst) == ("critical", "critical")

    def test_one_that_got_worse_long_ago_is_old_news_too(self, listening):
        mailing = sent(ago=DAYS)
        EmailSettings.objects.update(mail_alerts=False)
        for days, complained in ((0, 1), (3, 4)):
            tally(mailing, complained=complained)
            alerts.refresh(NOW + days * DAYS)
        EmailSettings.objects.update(mail_alerts=True)
        assert telling.tell(NOW + 5 * DAYS) == 0

    def test_whoever_switches_it_on_is_not_told_old_news(self, bad_mailing, listening):
        alerts.refresh(NOW)
        assert telling.tell(NOW + 2 * DAYS) == 0

    def test_a_site_hears_of_its_own_mailings(self, listening):
        other = Site.objects.create(
            hostname="other.example", root_page=listening.site.root_page, is_default_site=False
        )
        tally(sent(ago=DAYS, site=other), unsubscribed=50)
        alerts.refresh(NOW)
        assert telling.tell(NOW) == 0
        EmailSettings.objects.create(site=other, mail_alerts=True, summary_to="cy@example.org")
        assert telling.tell(NOW) == 1
        assert [message.to for message in mail.outbox] == [["cy@example.org"]]


class TestSeveralSites:
    @pytest.fixture
    def second(self, listening):
        site = Site.objects.create(
            hostname="other.example", root_page=listening.site.root_page, is_default_site=False
        )
        return EmailSettings.objects.create(
            site=site, mail_alerts=True, summary_to="cy@example.org"
        )

    def told(self) -> set[str]:
        return {message.to[0] for message in mail.outbox}

    @pytest.fixture
    def sent_from_both(self, listening, second):
        mailing = sent(ago=DAYS, site=listening.site)
        tally(mailing, unsubscribed=50)
        sent(mailing.email, ago=2 * DAYS, site=second.site)
        alerts.refresh(NOW)
        return mailing

    def test_an_email_sent_from_two_is_told_to_both_once(self, sent_from_both):
        assert telling.tell(NOW) == 2
        assert sorted(message.to[0] for message in mail.outbox) == [
            "ann@example.org",
            "bob@example.org",
            "cy@example.org",
        ]
        assert telling.tell(NOW) == 0

    def test_each_gets_one_mail_with_what_concerns_it(self, sent_from_both, second):
        only_there = sent(ago=DAYS, delivered=900, hard=100, site=second.site)
        alerts.refresh(NOW)
        assert telling.tell(NOW) == 2
        by_reader = {message.to[0]: message.body for message in mail.outbox}
        assert str(only_there.email) in by_reader["cy@example.org"]
        assert "came back for good" in by_reader["cy@example.org"]
        assert "came back for good" not in by_reader["ann@example.org"]

    def test_what_is_about_all_mailings_reaches_every_site_that_listens(self, listening, second):
        Alert.objects.create(
            code="deliverability_drop", severity=Severity.CRITICAL, sentence="", raised_at=NOW
        )
        EmailSettings.objects.filter(pk=listening.pk).update(mail_alerts=False)
        assert telling.tell(NOW) == 1
        assert self.told() == {"cy@example.org"}

    def test_what_belongs_to_no_site_is_not_lost_either(self, bad_mailing, listening, second):
        EmailSettings.objects.filter(pk=listening.pk).update(mail_alerts=False)
        alerts.refresh(NOW)
        assert telling.tell(NOW) == 1
        assert self.told() == {"cy@example.org"}

    def test_where_one_sites_server_is_away_the_other_is_told_and_not_again(
        self, sent_from_both, monkeypatch, caplog
    ):
        send = mails.mail.send_transactional

        def send_to_cy(**message):
            if message["to"] != "cy@example.org":
                raise MailError("away")
            send(**message)

        monkeypatch.setattr(mails.mail, "send_transactional", send_to_cy)
        assert telling.tell(NOW) == 1
        assert "Nobody at" in caplog.text
        monkeypatch.undo()
        assert telling.tell(NOW) == 0
        assert self.told() == {"cy@example.org"}

    def test_a_mail_that_cannot_be_written_keeps_no_site_waiting(
        self, sent_from_both, monkeypatch, caplog
    ):
        write = mails.send_to_colleagues

        def fail_once(*arguments):
            monkeypatch.setattr(mails, "send_to_colleagues", write)
            raise RuntimeError

        monkeypatch.setattr(mails, "send_to_colleagues", fail_once)
        assert telling.tell(NOW) == 1
        assert "failed" in caplog.text

    def test_a_worker_that_is_told_to_end_before_the_first_mail_loses_nothing(
        self, sent_from_both, monkeypatch
    ):
        def end(*_arguments):
            raise SystemExit

        with monkeypatch.context() as patched:
            patched.setattr(mails, "send_to_colleagues", end)
            with pytest.raises(SystemExit):
                telling.tell(NOW)
        assert telling.tell(NOW) == 2

    def test_one_that_is_killed_in_between_tells_nobody_twice(
        self, sent_from_both, monkeypatch, caplog
    ):
        """Nothing is left to run after a kill: not even what gives alerts back."""
        caplog.set_level("INFO", logger=telling.__name__)
        write = mails.send_to_colleagues

        def send_and_be_killed(*arguments):
            write(*arguments)
            raise SystemExit

        monkeypatch.setattr(telling, "_give_back", lambda *_arguments: None)
        with monkeypatch.context() as patched:
            patched.setattr(mails, "send_to_colleagues", send_and_be_killed)
            with pytest.raises(SystemExit):
                telling.tell(NOW)
        before = len(mail.outbox)
        assert telling.tell(NOW) == 0
        assert len(mail.outbox) == before
        assert f"Mailing the alerts [{Alert.objects.get().pk}]" in caplog.text
        assert codes() == ["unsubscribe_spike"]


def test_a_diagnostic_that_fails_keeps_its_alert_and_the_others_speaking(
    bad_mailing, monkeypatch, caplog
):
    from wagtail_email_insights.statistics.findings.rates import UnsubscribeSpike

    alerts.refresh(NOW)

    def fail(self, case):
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(UnsubscribeSpike, "find", fail)
        sent(bad_mailing.email, ago=DAYS, delivered=900, hard=100)
        assert [alert.code for alert in alerts.refresh(NOW)] == ["bounces"]
    assert sorted(codes()) == ["bounces", "unsubscribe_spike"]
    assert "The diagnostic 'unsubscribe_spike' failed" in caplog.text


class TestSeveralSenders:
    """Each sender's trouble is an alert of its own."""

    @pytest.fixture
    def weak(self):
        weak = {}
        for name in ("Garden", "Shop"):
            sender = Sender.objects.create(name=name, from_email="news@example.org")
            for days in range(21, 25):
                tally(sent(ago=days * DAYS, sender=sender), opened=300, clicked=100)
            weak[name] = [sent(ago=days * DAYS, sender=sender) for days in (2, 4)]
            for mailing in weak[name]:
                tally(mailing, opened=100, clicked=60)
        return weak

    def senders(self) -> list[str]:
        about_all = Alert.objects.filter(email=None, over_at=None).order_by("pk")
        return [alert.sentence.partition(":")[0] for alert in about_all]

    def test_all_of_them_are_told(self, weak, listening):
        alerts.refresh(NOW)
        assert sorted(self.senders()) == ["Garden", "Shop"]
        telling.tell(NOW)
        assert "Garden: in the last 2" in mail.outbox[0].body
        assert "Shop: in the last 2" in mail.outbox[0].body
        assert alerts.refresh(NOW) == []

    @pytest.mark.parametrize(("mended", "left"), [("Garden", "Shop"), ("Shop", "Garden")])
    def test_that_one_is_mended_leaves_the_other(self, weak, listening, mended, left):
        alerts.refresh(NOW)
        telling.tell(NOW)
        assert f"{left}: in the last 2" in mail.outbox[0].body
        raised = Alert.objects.get(sentence__startswith=left).pk
        for mailing in weak[mended]:
            tally(mailing, opened=300, clicked=100)
        assert alerts.refresh(NOW) == []
        assert self.senders() == [left]
        assert Alert.objects.get(over_at=None).pk == raised
        assert telling.tell(NOW) == 0

    def test_one_that_comes_later_is_told_though_another_was_before(self, weak, listening):
        for mailing in weak["Shop"]:
            tally(mailing, opened=300, clicked=100)
        alerts.refresh(NOW)
        assert (self.senders(), telling.tell(NOW)) == (["Garden"], 1)
        for name, opened, clicked in (("Garden", 300, 100), ("Shop", 100, 60)):
            for mailing in weak[name]:
                tally(mailing, opened=opened, clicked=clicked)
        alerts.refresh(NOW)
        assert (self.senders(), telling.tell(NOW)) == (["Shop"], 1)


def test_an_email_that_takes_weeks_to_go_out_is_watched_from_its_end():
    mailing = sent(ago=20 * DAYS)
    Mailing.objects.filter(pk=mailing.pk).update(finished_at=NOW - DAYS)
    tally(mailing, unsubscribed=50)
    alerts.refresh(NOW)
    assert codes() == ["unsubscribe_spike"]


def test_alerts_of_before_the_update_are_as_old_as_they_were(bad_mailing):
    module = "wagtail_email_insights.migrations.0004_truer_figures"
    alert = Alert.objects.create(code="bounces", severity="warning", raised_at=NOW - 9 * DAYS)
    import_module(module).let_no_old_alert_be_news(apps, connection.schema_editor())
    alert.refresh_from_db()
    assert alert.news_at == NOW - 9 * DAYS


def test_only_who_may_see_statistics_sees_alerts(bad_mailing):
    alerts.refresh(NOW)
    user = get_user_model().objects.create_user("ed")
    assert list(alerts.open_alerts(user)) == []
    user.user_permissions.add(Permission.objects.get(codename="view_statistics"))
    user = get_user_model().objects.get(pk=user.pk)
    assert [alert.code for alert in alerts.open_alerts(user)] == ["unsubscribe_spike"]


def test_the_task_does_both(listening, monkeypatch):
    assert tasks.look_for_alerts() == 0


def test_a_hundred_watched_emails_cost_as_many_queries_as_one(django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    sent(ago=DAYS)
    alerts.refresh(NOW)
    with CaptureQueriesContext(connection) as for_one:
        alerts.refresh(NOW)
    for _ in range(5):
        sent(ago=DAYS)
    with django_assert_num_queries(len(for_one)):
        alerts.refresh(NOW)
