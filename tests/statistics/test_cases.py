"""What diagnostics look at: when a mailing can be judged, by which copies, and beside what."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.factories import make_email
from tests.statistics.sums import NOW, clicked_in_hour, sent, tally, usual
from wagtail_email_insights.mailings.models import Mailing, MailingState
from wagtail_email_insights.statistics.comparison import senders_median
from wagtail_email_insights.statistics.diagnostics import findings_for_emails
from wagtail_email_insights.tracking.models import Dimension, MailingTotals

pytestmark = pytest.mark.django_db
MINUTES = timedelta(minutes=1)
HOURS = timedelta(hours=1)
DAYS = timedelta(days=1)


def signals(mailing: Mailing, *others: Mailing) -> dict[str, str]:
    emails = [mailing.email, *(other.email for other in others)]
    findings = findings_for_emails(emails, now=NOW)[mailing.email_id]
    return {finding.code: finding.signal for finding in findings}


def ended(mailing: Mailing, at: datetime | None, state: str = MailingState.SENT) -> Mailing:
    mailing.finished_at, mailing.state = at, state
    mailing.save()
    return mailing


def clicked(mailing: Mailing, number: int, **more: int) -> Mailing:
    tally(
        mailing, opened=3 * number, clicked=number, clicks=number, clicks_identified=number, **more
    )
    return mailing


class TestTime:
    """Clicks are judged by when the last copy went out, not the first."""

    OPEN = (MailingState.PREPARING, MailingState.SENDING, MailingState.PAUSED)

    @pytest.mark.parametrize("state", OPEN)
    def test_what_is_still_being_sent_is_not_judged_by_its_clicks(self, state):
        usual(clicked=100)
        mailing = clicked(ended(sent(ago=5 * HOURS), None, state), 20)
        assert signals(mailing) == {"too_early": "Not all of its copies have gone out yet."}

    def test_nor_is_what_has_only_just_been_at_its_readers_hours(self):
        usual(clicked=100)
        mailing = clicked(ended(sent(ago=13 * HOURS), NOW - 3 * MINUTES), 3)
        assert signals(mailing) == {"too_early": "It was sent 3 minutes ago."}

    def test_later_it_is(self):
        usual(clicked=100)
        mailing = clicked(ended(sent(ago=5 * DAYS), NOW - 4 * DAYS), 3)
        assert list(signals(mailing)) == ["low_click_rate"]

    def test_what_was_sent_is_judged_while_it_is_being_sent(self):
        mailing = ended(sent(ago=5 * HOURS, delivered=900, hard=100), None, MailingState.SENDING)
        tally(mailing, unsubscribed=50, complained=5)
        assert sorted(signals(mailing)) == [
            "bounces",
            "spam_reports",
            "too_early",
            "unsubscribe_spike",
        ]

    def test_one_that_never_noted_its_end_ended_when_it_began(self):
        usual(clicked=100)
        assert list(signals(clicked(ended(sent(), None), 3))) == ["low_click_rate"]

    def test_others_are_taken_at_the_same_age_from_their_own_ends(self):
        for other in usual(clicked=100):
            ended(other, other.started_at + 10 * HOURS)
            other.tallies.filter(dimension=Dimension.HOUR).delete()
            clicked_in_hour(other, 60, after=5 * HOURS)
            clicked_in_hour(other, 40, after=20 * HOURS)
        mailing = clicked(ended(sent(ago=5 * HOURS), NOW - 2 * HOURS), 29)
        assert "2.9 % of the copies were clicked; with this sender 6.0 % are usual" in str(
            signals(mailing)
        )

    def test_a_second_send_under_way_neither_dilutes_nor_silences_the_first(self):
        usual(clicked=100)
        first = clicked(sent(ago=9 * DAYS), 80)
        second = clicked(ended(sent(first.email, ago=DAYS), None, MailingState.PAUSED), 1)
        assert list(signals(second)) == ["too_early"]
        clicked(first, 20)
        assert signals(second)["low_click_rate"].startswith("2.0 %")

    def test_what_ended_later_is_no_measure_though_it_began_earlier(self):
        for other in usual(clicked=0, times=5):
            ended(other, NOW - HOURS)
        for days in (40, 70, 100):
            clicked(sent(ago=days * DAYS), 100)
        assert "10.0 % are usual" in signals(clicked(sent(), 20))["low_click_rate"]

    def test_what_is_still_being_sent_is_no_measure(self):
        for other in usual(clicked=100):
            ended(other, None, MailingState.PAUSED)
        assert signals(clicked(sent(), 1)) == {}


class TestCopies:
    """A rate is judged by the copies that it divides by."""

    def told_apart(self, mailing: Mailing, number: int) -> Mailing:
        MailingTotals.objects.filter(pk=mailing.pk).update(told_apart=number, identified=number)
        return mailing

    def test_two_readers_who_are_told_apart_are_no_thousand(self):
        usual(clicked=100)
        assert signals(self.told_apart(sent(), 2)) == {}
        assert list(signals(self.told_apart(sent(), 100))) == ["low_click_rate"]

    def test_nor_do_they_say_what_is_usual(self):
        for other in usual(clicked=100)[:3]:
            clicked(self.told_apart(other, 50), 50)
        mailing = clicked(sent(), 20)
        assert signals(mailing) == {}

    def test_what_is_not_known_is_not_nought(self):
        mailings = usual(clicked=100, times=7)
        for other in mailings[:4]:
            clicked(self.told_apart(other, 0), 0)
        mailing = clicked(sent(), 20)
        assert "10.0 % are usual" in signals(mailing)["low_click_rate"]
        assert senders_median(mailing)["clicked"] == 0.1

    def test_mailings_without_a_link_are_no_measure_of_clicks(self):
        usual(clicked=100, times=3)
        for days in (10, 11, 12, 13, 14):
            tally(sent(ago=days * DAYS, links=0), opened=300)
        mailing = clicked(sent(), 20)
        assert "10.0 % are usual" in signals(mailing)["low_click_rate"]


class TestResends:
    @pytest.fixture
    def resent(self):
        usual(clicked=100)
        first = clicked(sent(ago=10 * DAYS), 80)
        again = sent(first.email, ago=4 * DAYS, delivered=920, resend_of=first)
        return clicked(again, 10)

    def test_those_who_did_not_click_dilute_nothing(self, resent):
        assert signals(resent) == {}

    def test_nor_do_they_hide_that_few_clicked(self, resent):
        clicked(resent.resend_of, 45)
        clicked(resent, 900)
        assert signals(resent)["low_click_rate"].startswith("4.5 %")

    def test_a_resend_under_way_does_not_make_it_too_early(self, resent):
        ended(resent, None, MailingState.SENDING)
        assert signals(resent) == {}

    def test_its_bounces_and_reports_count(self, resent):
        tally(resent, complained=19)
        MailingTotals.objects.filter(pk=resent.pk).update(hard_bounced=192)
        assert signals(resent) == {
            "bounces": "192 of 1,920 copies came back for good (10.0 %).",
            "spam_reports": "19 of 1,728 copies were reported as spam (1.1 %).",
        }


class TestCompany:
    """What is found about an e-mail does not depend on what else is asked about."""

    def test_the_newest_twenty_are_looked_at_and_then_those_of_any_size(self):
        for days in range(60, 64):
            clicked(sent(ago=days * DAYS), 100)
        for days in range(20, 45):
            sent(ago=days * DAYS, delivered=5)
        mailing = clicked(sent(ago=5 * DAYS), 20)
        others = [sent(ago=4 * DAYS - hours * HOURS) for hours in range(10)]
        assert signals(mailing) == signals(mailing, *others) == {}
        assert senders_median(mailing) is None

    def test_each_has_its_own_twenty(self):
        usual(clicked=100)
        mailing = clicked(sent(ago=29 * DAYS), 20)
        usual(clicked=10, times=2)
        newer = [clicked(sent(ago=days * HOURS * 20), 100) for days in range(2, 30)]
        alone = signals(mailing)
        assert alone == signals(mailing, *newer)

    def test_many_sends_of_the_same_email_take_no_place(self):
        usual(clicked=100)
        email = make_email()
        for days in range(6, 28):
            clicked(sent(email, ago=days * DAYS), 10)
        mailing = clicked(sent(email), 10)
        assert "with this sender 10.0 % are usual" in signals(mailing)["low_click_rate"]
        assert senders_median(mailing)["clicked"] == 0.1
