from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.factories import make_contact, make_email
from tests.statistics.sums import NOW, clicked_in_hour, sent, somebody_reports, tally, usual
from wagtail_email_insights.admin.addresses import email_url
from wagtail_email_insights.checks import check_diagnostics
from wagtail_email_insights.mailings.models import Delivery, DeliveryState, Mailing, MailingState
from wagtail_email_insights.site_settings.models import Sender
from wagtail_email_insights.statistics import diagnostics
from wagtail_email_insights.statistics.comparison import senders_median
from wagtail_email_insights.statistics.diagnostics import (
    EmailDiagnostic,
    OverallDiagnostic,
    default_thresholds,
    findings_for,
    findings_for_emails,
    overall_findings,
    register,
)
from wagtail_email_insights.statistics.models import Alert, Severity
from wagtail_email_insights.statistics.muting import mute, unmute
from wagtail_email_insights.tracking.models import (
    Dimension,
    Event,
    EventKind,
    MailingTotals,
    Scope,
    TrackedLink,
    Verdict,
)

pytestmark = pytest.mark.django_db
HOURS = timedelta(hours=1)
DAYS = timedelta(days=1)


def found(mailing, **more) -> dict[str, diagnostics.Finding]:
    findings = findings_for_emails([mailing.email], now=NOW, **more)[mailing.email_id]
    return {finding.code: finding for finding in findings}


def overall(**more) -> dict[str, diagnostics.Finding]:
    return {finding.code: finding for finding in overall_findings(now=NOW, **more)}


class TestLowClickRate:
    def test_under_half_of_what_is_usual_is_low(self):
        usual(clicked=100)
        mailing = sent()
        tally(mailing, opened=300, clicked=49, clicks=60, clicks_identified=60)
        finding = found(mailing)["low_click_rate"]
        assert finding.signal == (
            "4.9 % of the copies were clicked; with this sender 10.0 % are usual."
        )
        assert finding.severity == Severity.WARNING
        assert finding.advice

    def test_half_of_what_is_usual_is_not(self):
        usual(clicked=100)
        mailing = sent()
        tally(mailing, opened=300, clicked=50, clicks=60, clicks_identified=60)
        assert found(mailing) == {}

    @pytest.mark.parametrize("spoilt", ["few copies", "no history", "no links", "not arrived"])
    def test_nothing_is_said_where_it_would_mean_nothing(self, spoilt):
        usual(clicked=100, times=2 if spoilt == "no history" else 4)
        mailing = sent(
            delivered=99 if spoilt == "few copies" else 1000,
            links=0 if spoilt == "no links" else 1,
            hard=200 if spoilt == "not arrived" else 0,
        )
        tally(mailing, opened=3, clicked=1, clicks=1)
        assert "low_click_rate" not in found(mailing)

    def test_what_is_usual_is_the_senders_median(self):
        for clicked, mailing in zip([10, 100, 110, 900], usual(), strict=True):
            tally(mailing, opened=900, clicked=clicked)
        mailing = sent()
        tally(mailing, opened=300, clicked=50)
        [case] = diagnostics.cases_of([mailing.email], too_early=timedelta(), now=NOW)
        medians = senders_median(mailing)
        assert case.usual("clicked") == medians["clicked"] == pytest.approx(0.105)
        assert case.usual("unsubscribed") == medians["unsubscribed"]

    def test_a_young_mailing_is_compared_with_what_others_had_at_its_age(self):
        for mailing in usual(clicked=100):
            mailing.tallies.filter(dimension=Dimension.HOUR).delete()
            clicked_in_hour(mailing, 20, after=timedelta())
            clicked_in_hour(mailing, 80, after=20 * HOURS)
        mailing = sent(ago=2 * HOURS)
        tally(mailing, opened=60, clicked=15, clicks=15, clicks_identified=15)
        assert found(mailing) == {}
        tally(mailing, opened=60, clicked=9)
        assert "with this sender 2.0 % are usual" in found(mailing)["low_click_rate"].signal

    def test_clicks_by_machines_hide_nothing(self):
        usual(clicked=100)
        mailing = sent()
        tally(mailing, scopes=[Scope.PEOPLE, Scope.READERS], opened=300, clicked=10, clicks=10)
        tally(mailing, scopes=[Scope.EVERYTHING], opened=900, clicked=800, clicks=9000)
        assert "low_click_rate" in found(mailing)

    def test_another_senders_mailings_are_no_measure(self):
        usual(clicked=100)
        other = Sender.objects.create(name="Shop", from_email="shop@example.org")
        mailing = sent(sender=other)
        tally(mailing, opened=300, clicked=1)
        assert "low_click_rate" not in found(mailing)


class TestUnsubscribeSpike:
    @pytest.mark.parametrize(("people", "is_found"), [(5, False), (6, True)])
    def test_over_half_a_per_cent_is_a_spike(self, people, is_found):
        mailing = sent()
        tally(mailing, unsubscribed=people)
        assert ("unsubscribe_spike" in found(mailing)) is is_found

    def test_so_is_twice_what_is_usual(self):
        usual(unsubscribed=2)
        mailing = sent()
        tally(mailing, opened=300, clicked=100, unsubscribed=5)
        assert found(mailing)["unsubscribe_spike"].signal == (
            "0.50 % left; with this sender 0.20 % are usual."
        )
        tally(mailing, unsubscribed=4)
        assert "unsubscribe_spike" not in found(mailing)

    def test_two_people_are_chance(self):
        mailing = sent(delivered=100)
        tally(mailing, unsubscribed=2)
        assert "unsubscribe_spike" not in found(mailing)


class TestBounces:
    @pytest.mark.parametrize(
        ("hard", "severity"),
        [(19, None), (20, Severity.WARNING), (79, Severity.WARNING), (80, Severity.CRITICAL)],
    )
    def test_two_per_cent_warn_and_eight_are_critical(self, hard, severity):
        mailing = sent(delivered=1000 - hard, hard=hard)
        finding = found(mailing).get("bounces")
        assert (finding and finding.severity) == severity

    def test_they_are_told_even_while_it_is_too_early_for_anything_else(self):
        mailing = sent(delivered=900, hard=100, ago=timedelta(minutes=3))
        assert list(found(mailing)) == ["bounces", "too_early"]


class TestSpamReports:
    @pytest.mark.parametrize(
        ("complained", "severity"), [(1, Severity.WARNING), (3, Severity.CRITICAL)]
    )
    def test_one_in_a_thousand_warns_and_three_are_critical(self, complained, severity):
        mailing = sent()
        tally(mailing, complained=complained)
        assert found(mailing)["spam_reports"].severity == severity

    @pytest.mark.parametrize(
        ("complained", "severity"), [(1, Severity.WARNING), (2, Severity.CRITICAL)]
    )
    def test_a_single_report_is_never_critical(self, complained, severity):
        mailing = sent(delivered=100)
        tally(mailing, complained=complained)
        assert found(mailing)["spam_reports"].severity == severity

    def test_none_are_no_finding_and_without_a_source_nothing_is_known(self):
        mailing = sent()
        assert found(mailing) == {}
        somebody_reports(EventKind.COMPLAINT)
        assert found(mailing) == {}


class TestMissingActivities:
    @pytest.mark.parametrize(("known", "is_found"), [(4, True), (5, False)])
    def test_hardly_any_click_with_a_name(self, known, is_found):
        mailing = sent()
        tally(mailing, opened=90, clicked=80, clicks=100, clicks_identified=known)
        assert ("missing_activities" in found(mailing)) is is_found

    def test_it_leads_to_the_tracking_check(self):
        mailing = sent()
        tally(mailing, opened=90, clicked=80, clicks=100)
        finding = found(mailing)["missing_activities"]
        assert finding.leads_to == "email_tracking_check:index"
        assert "Of 100 clicks, 0 (0.0 %)" in finding.signal

    def test_few_clicks_say_nothing(self):
        mailing = sent()
        tally(mailing, opened=19, clicked=19, clicks=19)
        assert found(mailing) == {}


class TestDuplicateSends:
    @pytest.fixture
    def twice(self):
        email = make_email()
        mailings = [sent(email, ago=9 * DAYS), sent(email)]
        for contact in (make_contact(), make_contact()):
            for mailing in mailings:
                Delivery.objects.create(mailing=mailing, contact=contact, state=DeliveryState.SENT)
        return mailings

    def test_people_with_the_same_mail_twice_are_counted_in_the_background(self, twice):
        finding = found(twice[1], is_thorough=True)["duplicate_sends"]
        assert finding.signal == "2 contacts were sent it more than once."

    def test_a_screen_shows_what_the_background_found(self, twice):
        assert "duplicate_sends" not in found(twice[1])
        Alert.objects.create(
            email=twice[1].email,
            code="duplicate_sends",
            severity=Severity.WARNING,
            sentence="2 contacts were sent it more than once.",
        )
        assert found(twice[1])["duplicate_sends"].signal.startswith("2 contacts")

    def test_a_resend_is_meant(self, twice):
        first, second = twice
        second.resend_of = first
        second.save()
        assert "duplicate_sends" not in found(second, is_thorough=True)

    def test_a_skipped_copy_is_none(self, twice):
        twice[1].deliveries.update(state=DeliveryState.SKIPPED)
        assert "duplicate_sends" not in found(twice[1], is_thorough=True)


class TestTooEarly:
    def test_before_half_an_hour_no_rate_is_judged(self):
        usual(clicked=100)
        mailing = sent(ago=timedelta(minutes=29))
        tally(mailing, unsubscribed=50, clicks=100)
        findings = found(mailing)
        assert list(findings) == ["too_early"]
        assert findings["too_early"].signal == "It was sent 29 minutes ago."
        assert not findings["too_early"].is_alert

    def test_after_half_an_hour_it_is(self):
        mailing = sent(ago=timedelta(minutes=30))
        tally(mailing, unsubscribed=50)
        assert list(found(mailing)) == ["unsubscribe_spike"]

    def test_tests_do_not_count(self):
        [finding] = findings_for(make_email())
        assert (finding.code, finding.severity) == ("too_early", Severity.NOTICE)
        assert "tests are never counted" in finding.signal


class TestOpensUnreliable:
    def test_half_of_the_opens_through_proxies(self):
        mailing = sent()
        tally(mailing, opened=100, opens=100, clicked=10, clicks=10)
        proxies = {"scopes": [Scope.EVERYTHING], "dimension": Dimension.VERDICT}
        tally(mailing, **proxies, key=f"{Verdict.PROXY.value}:apple", opens=30)
        assert found(mailing) == {}
        tally(mailing, **proxies, key=f"{Verdict.PROXY.value}:gmail", opens=20)
        finding = found(mailing)["opens_unreliable"]
        assert finding.signal == "50.0 % of the opens came from image proxies."
        assert not finding.is_alert

    def test_nearly_all_opens_in_the_hour_of_sending(self):
        mailing = sent()
        tally(mailing, opened=100, opens=100, clicked=10, clicks=10)
        clicked_in_hour(mailing, 80, after=timedelta())
        assert "the very hour of sending" in found(mailing)["opens_unreliable"].signal

    def test_within_a_day_that_is_only_natural(self):
        mailing = sent(ago=timedelta(minutes=40))
        tally(mailing, opened=100, opens=100, clicked=10, clicks=10)
        clicked_in_hour(mailing, 100, after=timedelta())
        assert found(mailing) == {}

    def test_opens_without_clicks(self):
        mailing = sent()
        tally(mailing, opened=400, opens=500, clicked=3, clicks=3)
        assert "0.75 % were clicked" in found(mailing)["opens_unreliable"].signal


class TestLowEngagement:
    def weak(self, *clicks: int) -> None:
        for days, clicked in enumerate(reversed(clicks), start=2):
            mailing = sent(ago=days * DAYS)
            tally(mailing, opened=300, clicked=clicked)

    def test_three_weak_mailings_in_a_row(self):
        usual(clicked=100)
        self.weak(40, 49, 30)
        assert overall()["low_engagement"].signal == (
            "Without a sender of its own: none of the last 3 e-mails was clicked by more than "
            "4.9 %; 10.0 % were usual before."
        )

    @pytest.mark.parametrize("clicks", [(40, 90, 30), (40, 30)])
    def test_a_good_one_between_or_only_two_are_no_row(self, clicks):
        usual(clicked=100)
        self.weak(*clicks)
        assert "low_engagement" not in overall()

    def test_one_of_today_is_not_judged_yet(self):
        usual(clicked=100)
        self.weak(40, 30)
        tally(sent(ago=3 * HOURS), opened=3, clicked=1)
        assert "low_engagement" not in overall()

    @pytest.mark.parametrize("ended", [None, NOW - 3 * HOURS], ids=["running", "ended today"])
    def test_nor_is_one_whose_last_copies_have_only_just_gone_out(self, ended):
        usual(clicked=100)
        self.weak(40, 30)
        slow = sent(ago=5 * DAYS)
        slow.finished_at = ended
        slow.state = MailingState.SENT if ended else MailingState.SENDING
        slow.save()
        tally(slow, opened=3, clicked=1)
        assert "low_engagement" not in overall()

    def test_mailings_without_a_link_are_no_row(self):
        usual(clicked=100)
        for days in (2, 3, 4):
            tally(sent(ago=days * DAYS, links=0), opened=300)
        assert "low_engagement" not in overall()

    def test_nor_do_they_lower_what_is_usual(self):
        usual(clicked=100)
        for days in (10, 11, 12, 13, 14):
            tally(sent(ago=days * DAYS, links=0), opened=300)
        self.weak(40, 49, 30)
        assert "10.0 % were usual before" in overall()["low_engagement"].signal

    def test_readers_who_are_not_told_apart_are_not_tired(self):
        usual(clicked=100)
        self.weak(0, 0, 0)
        MailingTotals.objects.filter(mailing__started_at__gte=NOW - 9 * DAYS).update(told_apart=0)
        assert "low_engagement" not in overall()

    def test_every_sender_in_trouble_is_found(self):
        for name in ("Garden", "Shop"):
            sender = Sender.objects.create(name=name, from_email="news@example.org")
            usual(clicked=100)
            self.weak(40, 49, 30)
            Mailing.objects.filter(sender=None).update(sender=sender)
        findings = overall_findings(now=NOW)
        assert {finding.code for finding in findings} == {"low_engagement"}
        names = [finding.signal.partition(":")[0] for finding in findings]
        assert sorted(names) == ["Garden", "Shop"]
        assert len({finding.subject for finding in findings}) == 2


class TestDeliverabilityDrop:
    def drop(self, *, opened: int = 200, clicked: int = 70, **fields) -> None:
        for days in (2, 3):
            tally(sent(ago=days * DAYS, **fields), opened=opened, clicked=clicked)

    def test_fewer_see_it_and_fewer_click_though_as_many_were_sent(self):
        usual(clicked=100)
        self.drop()
        finding = overall()["deliverability_drop"]
        assert finding.severity == Severity.CRITICAL
        assert "20.0 % of the copies were opened and 7.0 % clicked at best" in finding.signal

    def test_fewer_arrive(self):
        usual(clicked=100)
        self.drop(delivered=780, hard=220, opened=78 * 3, clicked=62)
        assert "78.0 % of the copies were delivered" in overall()["deliverability_drop"].signal

    @pytest.mark.parametrize("lost", [300, 550, 990])
    def test_a_drop_does_not_hide_itself_however_deep(self, lost):
        usual(clicked=100)
        self.drop(opened=5, clicked=2)
        MailingTotals.objects.filter(mailing__started_at__gte=NOW - 9 * DAYS).update(
            soft_bounced=lost, told_apart_bounced=lost
        )
        arrived = f"{100 - lost / 10:.1f} % of the copies were delivered and 0.20 % clicked"
        assert arrived in overall()["deliverability_drop"].signal

    @pytest.mark.parametrize(
        "change",
        [{"opened": 290}, {"clicked": 90}, {"delivered": 200, "opened": 40, "clicked": 14}],
    )
    def test_only_one_of_the_signs_is_something_else(self, change):
        usual(clicked=100)
        self.drop(**change)
        assert "deliverability_drop" not in overall()


class TestDormantReturn:
    def wake(
        self,
        number: int,
        *,
        mails: int = 3,
        last_click: timedelta | None = None,
        identified: bool = True,
        **fields,
    ) -> None:
        mailings = [sent(ago=days * DAYS) for days in (100, 80, 60)[:mails]]
        link = TrackedLink.objects.filter(mailing=mailings[0]).get()
        for _ in range(number):
            contact = make_contact(created_at=NOW - 700 * DAYS)
            for mailing in mailings:
                Delivery.objects.create(
                    mailing=mailing,
                    contact=contact,
                    state=DeliveryState.SENT,
                    identified=identified,
                    settled_at=mailing.started_at,
                )
            for ago in filter(None, (DAYS, last_click)):
                Event.objects.create(
                    kind=EventKind.CLICK,
                    at=NOW - ago,
                    contact=contact,
                    mailing=mailings[0],
                    link=link,
                    **fields,
                )

    def test_five_who_had_been_silent_for_half_a_year(self):
        self.wake(5, last_click=300 * DAYS)
        finding = overall(is_thorough=True)["dormant_return"]
        assert finding.severity == Severity.NOTICE
        assert finding.signal.startswith("5 contacts clicked in the last 14 days")

    @pytest.mark.parametrize(
        ("number", "more"),
        [
            (4, {}),
            (5, {"mails": 2}),
            (5, {"last_click": 60 * DAYS}),
            (5, {"verdict": Verdict.MACHINE}),
            (5, {"identified": False}),
        ],
        ids=["too few", "few mails", "not silent", "machines", "not known until now"],
    )
    def test_others_are_none(self, number, more):
        self.wake(number, **more)
        assert overall(is_thorough=True) == {}

    def test_whoever_clicked_what_was_deleted_was_not_silent(self):
        self.wake(5)
        MailingTotals.objects.update(events_removed_at=NOW - DAYS)
        assert overall(is_thorough=True) == {}

    @pytest.mark.parametrize(("days", "is_found"), [(193, False), (194, True)])
    def test_where_clicks_are_deleted_sooner_nobody_knows(self, settings, days, is_found):
        settings.WAGTAIL_EMAIL_INSIGHTS = {"retention_days": days}
        self.wake(5)
        assert ("dormant_return" in overall(is_thorough=True)) is is_found

    def test_a_screen_does_not_look_for_them(self):
        self.wake(5)
        assert overall() == {}


def test_what_is_muted_for_an_email_is_silent_there_and_speaks_elsewhere():
    mailing, other = sent(), sent()
    for one in (mailing, other):
        tally(one, unsubscribed=50)
    mute(mailing.email, "unsubscribe_spike")
    mute(mailing.email, "unsubscribe_spike")
    assert found(mailing) == {}
    assert list(found(other)) == ["unsubscribe_spike"]
    unmute(mailing.email, "unsubscribe_spike")
    assert list(found(mailing)) == ["unsubscribe_spike"]


def test_several_sends_of_one_email_are_judged_together():
    email = make_email()
    for mailing in (sent(email), sent(email, ago=9 * DAYS)):
        tally(mailing, unsubscribed=4)
    assert found(mailing) == {}
    assert "8 of 2,000" not in str(found(mailing))
    tally(mailing, unsubscribed=7)
    assert found(mailing)["unsubscribe_spike"].signal == "11 of 2,000 left (0.55 %)."


def test_thresholds_are_settings(settings):
    mailing = sent()
    tally(mailing, unsubscribed=4)
    settings.WAGTAIL_EMAIL_INSIGHTS = {"diagnostics": {"unsubscribe_spike_rate": 0.003}}
    assert list(found(mailing)) == ["unsubscribe_spike"]
    assert check_diagnostics(None) == []


@pytest.mark.parametrize("setting", [{"no_such": 1}, {"bounces_warning": "2 %"}])
def test_a_threshold_that_is_none_is_named(settings, setting):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"diagnostics": setting}
    [message] = check_diagnostics(None)
    assert message.id == "wagtail_email_insights.E005"


def test_every_diagnostic_explains_itself():
    codes = list(diagnostics._registry)
    assert len(codes) == 11
    for code in codes:
        known = diagnostics.get(code)
        assert len(str(known.sentence)) > 40
        assert str(known.label)
        assert all(str(advice) for advice in known.advice)
    assert all(isinstance(value, int | float) for value in default_thresholds().values())


@pytest.fixture
def own_registry(monkeypatch):
    monkeypatch.setattr(diagnostics, "_registry", dict(diagnostics._registry))


def test_a_host_adds_its_own(own_registry):
    @register
    class NoPicture(EmailDiagnostic):
        code = "no_picture"
        label = "No picture"
        sentence = "Letters with a picture are clicked more."
        advice = ("Add one.",)

        def find(self, case):
            return self.finding("There is none.") if case.delivered else None

    assert found(sent())["no_picture"].signal == "There is none."


@pytest.mark.parametrize("method", ["applies", "find"])
@pytest.mark.parametrize("base", [EmailDiagnostic, OverallDiagnostic])
def test_one_of_a_host_that_fails_is_logged_and_spoils_nothing(
    own_registry, caplog, admin_client, base, method
):
    def fail(self, about):
        raise RuntimeError("broken")

    words = {"label": "Mine", "sentence": "Mine.", "advice": (), "code": "mine"}
    more = {"find": lambda self, about: None, "needs_time": False, method: fail}
    register(type("Mine", (base,), words | more))
    mailing = sent()
    tally(mailing, unsubscribed=50)
    assert list(found(mailing)) == ["unsubscribe_spike"]
    assert overall() == {}
    assert "The diagnostic 'mine' failed" in caplog.text
    for url in (email_url("statistics", mailing.email), "/admin/email-insights/overview/"):
        assert admin_client.get(url).status_code == 200


def test_where_one_about_all_mailings_fails_its_alert_stands(monkeypatch):
    from wagtail_email_insights.statistics.findings.overall import LowEngagement

    def fail(self, about):
        raise RuntimeError("broken")

    monkeypatch.setattr(LowEngagement, "find", fail)
    assert overall() == {}
    Alert.objects.create(
        code="low_engagement", severity=Severity.WARNING, sentence="Garden: tired."
    )
    assert overall()["low_engagement"].signal == "Garden: tired."
    assert overall(is_thorough=True)["low_engagement"].signal == "Garden: tired."


@pytest.mark.parametrize("threshold", sorted(default_thresholds()))
@pytest.mark.parametrize("delivered", [0, 1000])
def test_a_threshold_of_nothing_divides_by_nothing(settings, caplog, threshold, delivered):
    usual(clicked=0)
    mailing = sent(delivered=delivered)
    names = [threshold]
    if threshold.startswith("bounces"):
        somebody_reports(EventKind.HARD_BOUNCE)
        names = ["bounces_sent", "bounces_copies"]
    settings.WAGTAIL_EMAIL_INSIGHTS = {"diagnostics": dict.fromkeys(names, 0), "ranking_floor": 0}
    found(mailing, is_thorough=True)
    overall(is_thorough=True)
    assert caplog.text == ""


@pytest.mark.parametrize("clash", [{"code": "bounces"}, {"thresholds": {"bounces_sent": 1}}])
def test_two_of_one_name_are_refused(own_registry, clash):
    attributes = {"code": "mine", "label": "", "sentence": "", "advice": (), **clash}
    with pytest.raises(ImproperlyConfigured):
        register(type("Mine", (EmailDiagnostic,), attributes))


@pytest.mark.parametrize("code", ["shop.many", "two words", "", "x" * 41, "café"])
def test_a_code_that_fits_no_address_is_refused(own_registry, code):
    words = {"code": code, "label": "", "sentence": "", "advice": ()}
    with pytest.raises(ImproperlyConfigured, match="1 to 40"):
        register(type("Mine", (EmailDiagnostic,), words))
    assert code not in diagnostics._registry


def test_one_about_many_mailings_may_find_several_things(own_registry, caplog):
    @register
    class EachSender(OverallDiagnostic):
        code = "each_sender"
        label = "Senders"
        sentence = "They send."
        advice = ()

        def find(self, overall):
            return (self.finding(name, subject=name) for name in ("a", "b"))

    assert [finding.subject for finding in overall_findings(now=NOW)] == ["a", "b"]
    EachSender.find = lambda self, overall: self.finding("a", subject="a" * 41)
    Alert.objects.create(code="each_sender", subject="b", severity=Severity.WARNING, sentence="B.")
    [stands] = overall_findings(now=NOW)
    assert (stands.signal, stands.subject) == ("B.", "b")
    assert "'each_sender' failed" in caplog.text


def test_many_emails_cost_as_many_queries_as_one(django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    usual()
    mailings = [sent(ago=days * DAYS) for days in range(1, 8)]
    findings_for_emails([mailings[0].email], now=NOW)
    with CaptureQueriesContext(connection) as for_one:
        findings_for_emails([mailings[0].email], now=NOW)
    with django_assert_num_queries(len(for_one)):
        findings_for_emails([mailing.email for mailing in mailings], now=NOW)
    assert len(for_one) <= 14


def test_every_threshold_is_documented_with_its_default():
    text = (Path(__file__).parents[2] / "docs" / "howto-diagnostics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", text, re.MULTILINE)
    assert {name: float(value) for name, value in rows} == default_thresholds()


def test_the_diagnostic_in_the_documentation_is_one(own_registry):
    """It runs as it stands."""
    text = (Path(__file__).parents[2] / "docs" / "howto-diagnostics.md").read_text()
    [code] = [
        code
        for code in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if "class ManyReplies" in code
    ]
    exec(compile(code, "howto-diagnostics.md", "exec"), {"__name__": "shop.diagnostics"})
    mailing = sent()
    tally(mailing, replied=30)
    assert found(mailing)["shop_many_replies"].signal == "3.0% of the readers replied."
