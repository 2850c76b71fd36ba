from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.utils import timezone

from tests.admin.received import received
from tests.factories import make_email, make_mailing
from wagtail_email_insights.mailings.models import Delivery, DeliveryState, Mailing, MailingState
from wagtail_email_insights.statistics.models import Alert, Severity

pytestmark = pytest.mark.django_db

HOME = "/admin/"


def panel(client) -> BeautifulSoup | None:
    response = client.get(HOME)
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser").find(id="email-insights-section")


def lines(client) -> list[str]:
    return [" ".join(line.get_text(" ").split()) for line in panel(client).select("li")]


def test_nothing_is_shown_until_something_was_sent(admin):
    make_mailing(make_email())
    assert panel(admin) is None


def test_it_is_for_those_who_may_view_statistics(editor):
    received()
    assert panel(editor("view_email", "send_email")) is None
    assert panel(editor("view_statistics")) is not None


def test_the_newest_three_say_how_they_were_received(admin):
    for days in range(5):
        received(f"{days} days ago", copies=10, clicks=3, opens=2, days_ago=days + 1)
    shown = lines(admin)
    assert [line.split(" days")[0] for line in shown] == ["0", "1", "2"]
    assert "10 delivered, 50.0 % opened, 30.0 % clicked" in shown[0]


def test_a_line_leads_to_the_statistics_of_that_mailing(admin):
    mailing = received()
    link = panel(admin).select_one("li a")["href"]
    assert link.endswith(f"/statistics/{mailing.email_id}/?mailing={mailing.pk}")
    assert admin.get(link).status_code == 200


def test_a_mailing_under_way_shows_how_far_it_is(admin):
    mailing = received(copies=3, state=MailingState.SENDING, finished_at=None)
    Delivery.objects.create(mailing=mailing, state=DeliveryState.QUEUED)
    assert "Sending 3 of 4 sent (75.0 %)" in lines(admin)[0]


def test_it_goes_on_counting_while_something_is_sent(admin):
    mailing = received(copies=3, state=MailingState.SENDING, finished_at=None)
    live = panel(admin).select_one("[data-wei-live]")
    assert "wagtail_email_insights/live.js" in admin.get(HOME).text
    fragment = admin.get(live["data-wei-live"]).text
    assert "3 of 3 sent" in fragment
    assert "data-wei-done" not in fragment
    Mailing.objects.filter(pk=mailing.pk).update(state=MailingState.SENT)
    fragment = admin.get(live["data-wei-live"]).text
    assert "3 delivered" in fragment
    assert "data-wei-done" in fragment
    assert panel(admin).select_one("[data-wei-live]") is None


def test_what_it_fetches_is_for_those_who_may_view_statistics(editor):
    received()
    url = "/admin/email-insights/overview/home/"
    assert editor("view_email").get(url).status_code == 302
    assert editor("view_statistics").get(url).status_code == 200


def test_it_says_what_is_wrong_and_leads_to_the_overview(admin):
    Alert.objects.create(code="dormant", severity=Severity.NOTICE, sentence="Five came back.")
    Alert.objects.create(
        code="drop", severity=Severity.WARNING, sentence="Over.", over_at=timezone.now()
    )
    received()
    shown = panel(admin)
    assert "Five came back." in shown.get_text()
    assert "Over." not in shown.get_text()
    assert shown.select_one("a[href='/admin/email-insights/overview/']")


def test_the_worst_comes_first_and_is_not_crowded_out(admin):
    received()
    for number, severity in enumerate([Severity.CRITICAL, *[Severity.WARNING] * 5]):
        Alert.objects.create(code=f"c{number}", severity=severity, sentence=f"Sentence {number}.")
    text = panel(admin).get_text()
    assert text.index("Sentence 0.") < text.index("Sentence 5.")
    assert "Sentence 1." not in text


def test_a_hostile_title_is_only_words(admin):
    received("<script>alert(1)</script>")
    assert "<script>alert(1)" not in admin.get(HOME).content.decode()


def test_it_costs_the_same_for_1_mailing_and_30(queries_of):
    received(clicks=1)
    few = queries_of(HOME)
    for number in range(29):
        received(f"Number {number}", clicks=1)
    assert queries_of(HOME) == few
