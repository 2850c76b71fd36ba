from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from tests.admin.received import happen, received
from tests.factories import make_email, make_list
from wagtail_email_insights.mailings.models import Delivery, DeliveryState, MailingState
from wagtail_email_insights.site_settings.models import Sender
from wagtail_email_insights.statistics.models import Alert, Severity
from wagtail_email_insights.tracking.models import EventKind, Verdict

pytestmark = pytest.mark.django_db

OVERVIEW = "/admin/email-insights/overview/"
COMPARE = OVERVIEW + "compare/"


def shown(client, **query) -> BeautifulSoup:
    response = client.get(OVERVIEW, query)
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def words(element) -> str:
    return " ".join(element.get_text(" ").split())


def tile(page: BeautifulSoup, code: str) -> str:
    return words(page.select_one(f"[data-figure={code}]"))


def titles(page: BeautifulSoup) -> list[str]:
    return [words(cell) for cell in page.select("table.listing .title-wrapper")]


@pytest.mark.parametrize("url", [OVERVIEW, OVERVIEW + "?export=csv", COMPARE])
def test_it_is_for_those_who_may_view_statistics(editor, url):
    received()
    assert editor("view_email", "send_email").get(url).status_code == 302
    assert editor("view_statistics").get(url).status_code == 200


def test_the_menu_leads_to_it_first(editor):
    html = editor("view_statistics", "view_email").get(reverse("wagtailadmin_home")).content
    assert html.decode().index(OVERVIEW) < html.decode().index("/admin/email-insights/emails/")


def test_nothing_sent_yet_is_said_and_not_shown_as_zeros(editor):
    make_email("A draft")
    page = shown(editor("view_statistics"))
    assert "Nothing has been sent yet" in words(page)
    assert not page.select("[data-figure], form.wei-filters")
    assert "To the e-mails" not in words(page)
    assert "To the e-mails" in words(shown(editor("view_statistics", "send_email")))


def test_the_first_mailing_under_way_shows_how_far_it_is(admin):
    mailing = received("First ever", copies=3, state=MailingState.SENDING, finished_at=None)
    Delivery.objects.create(mailing=mailing, state=DeliveryState.QUEUED)
    page = shown(admin)
    assert "Your first mailing is on its way" in words(page)
    assert "3 of 4 sent (75.0 %)" in words(page.select_one(".wei-note[role=status]"))
    assert not page.select("[data-figure]")


def test_a_later_mailing_under_way_stands_beside_the_figures(admin):
    received("May news", days_ago=3)
    received("June news", state=MailingState.SENDING, finished_at=None)
    page = shown(admin)
    assert "June news" in words(page.select_one(".wei-note[role=status]"))
    assert "8 of 8 to be sent" in tile(page, "sent")


def test_after_long_silence_a_mailing_is_not_called_the_first(admin):
    received("Long ago", days_ago=300)
    received("June news", state=MailingState.SENDING, finished_at=None)
    page = shown(admin)
    assert "Your first mailing" not in words(page)
    assert page.select("[data-figure]")


def test_rates_over_several_mailings_are_sums_over_sums(admin):
    received("Large", copies=90, clicks=9)
    received("Small", copies=10, clicks=10)
    assert "19.0 % 19 of 100 delivered" in tile(shown(admin), "clicked")


def test_machines_are_left_out(admin):
    mailing = received(copies=10, clicks=1)
    happen(mailing, EventKind.CLICK, list(mailing.deliveries.all()), Verdict.MACHINE)
    assert "1 of 10 delivered" in tile(shown(admin), "clicked")


def test_machines_are_counted_where_everything_is_asked_for(admin):
    mailing = received(copies=10, clicks=1)
    happen(mailing, EventKind.CLICK, list(mailing.deliveries.all()), Verdict.MACHINE)
    page = shown(admin, scope="everything", days="90")
    assert "10 of 10 delivered" in tile(page, "clicked")
    assert words(page.select_one(".wei-scope [aria-current]")) == "Everything, machines too"
    assert page.select_one("form.wei-filters [name=scope]")["value"] == "everything"
    people = page.select_one(".wei-scope__choice[href*='scope=people']")
    assert "days=90" in people["href"]
    leading = [link["href"] for link in page.select("table.listing .title-wrapper a")]
    assert leading
    assert all("scope=everything" in link for link in leading)


def test_what_is_compared_is_counted_as_in_the_overview(admin):
    ones = [received(title, copies=10, clicks=1) for title in ("May", "June")]
    happen(ones[0], EventKind.CLICK, list(ones[0].deliveries.all()), Verdict.MACHINE)
    form = shown(admin, scope="everything").select_one(f"form[action='{COMPARE}']")
    assert form.select_one("[name=scope]")["value"] == "everything"
    answer = admin.get(COMPARE, {"mailing": [one.pk for one in ones], "scope": "everything"})
    assert "10 of 10 delivered" in words(BeautifulSoup(answer.content, "html.parser"))


def test_figures_are_fetched_again_only_while_something_is_sent(admin):
    received("May news", days_ago=3)
    assert not shown(admin).select("[data-wei-live]")
    june = received("June news", state=MailingState.SENDING, finished_at=None)
    url = shown(admin, days="7").select_one("[data-wei-live]")["data-wei-live"]
    assert "days=7" in url
    fragment = admin.get(url).content.decode()
    assert "June news" in fragment
    assert "<html" not in fragment
    assert "data-wei-done" not in fragment
    june.state = MailingState.SENT
    june.save()
    assert "data-wei-done" in admin.get(url).content.decode()


def test_links_of_the_fetched_figures_lead_to_the_page(admin):
    for number in range(51):
        received(f"Number {number}", copies=0)
    page = BeautifulSoup(admin.get(OVERVIEW + "figures/").content, "html.parser")
    heads = [link["href"] for link in page.select("thead a, nav.pagination a")]
    assert heads
    assert all(link.partition("?")[0] == OVERVIEW for link in heads)


def test_the_change_is_against_as_many_days_before(admin):
    received("June", copies=10, clicks=4, days_ago=2)
    received("May", copies=10, clicks=2, days_ago=9)
    received("Long ago", copies=10, clicks=10, days_ago=50)
    page = shown(admin, days="7")
    assert "up from 20.0 %" in tile(page, "clicked")
    assert page.select_one("[data-figure=clicked] .wei-change--better")
    assert "10 before, too" in tile(page, "sent")
    assert not page.select_one("[data-figure=sent] .wei-change--better")


def test_fewer_who_leave_is_better(admin):
    may = received("May", copies=10, days_ago=9)
    happen(may, EventKind.UNSUBSCRIBE, list(may.deliveries.all()[:3]))
    june = received("June", copies=10, days_ago=2)
    happen(june, EventKind.UNSUBSCRIBE, list(june.deliveries.all()[:1]))
    page = shown(admin, days="7")
    assert "down from 30.0 %" in tile(page, "unsubscribed")
    assert page.select_one("[data-figure=unsubscribed] .wei-change--better")


def test_without_anything_before_there_is_no_arrow(admin):
    received(days_ago=2)
    page = shown(admin, days="7")
    assert not page.select(".wei-change")
    assert "nothing to compare with" in words(page)


@pytest.mark.parametrize(
    ("days", "expected"),
    [("7", {"Yesterday"}), ("30", {"Yesterday", "3 weeks"}), ("", {"Yesterday", "3 weeks"})],
)
def test_the_period_chooses_the_mailings(admin, days, expected):
    received("Yesterday", days_ago=1)
    received("3 weeks", days_ago=21)
    received("3 months", days_ago=89)
    assert set(titles(shown(admin, days=days))) == expected


def test_own_dates_take_in_both_days(admin):
    received("Then", days_ago=20)
    then = timezone.localdate(timezone.now() - timedelta(days=20))
    for start, end, found in (
        (then, then, True),
        (then - timedelta(days=3), then - timedelta(days=1), False),
        (then + timedelta(days=1), then + timedelta(days=3), False),
    ):
        page = shown(admin, days="custom", start=start.isoformat(), end=end.isoformat())
        assert titles(page) == (["Then"] if found else []), (start, end)


@pytest.mark.parametrize(
    "query",
    [
        {"days": "custom"},
        {"days": "custom", "start": "2026-05-02", "end": "2026-05-01"},
        {"days": "custom", "start": "0001-01-01", "end": "9999-12-31"},
        {"days": "custom", "start": "9999-01-01", "end": "9999-12-31"},
        {"days": "custom", "start": "yesterday", "end": "2026-05-01"},
        {"days": "9"},
        {"days": "30\0", "recipient_list": "x\0"},
        {"recipient_list": "99999999999999999999"},
        {"sender": "-1", "site": "x", "ordering": "password", "p": "seven"},
    ],
)
def test_what_cannot_be_read_shows_the_usual_days(admin, query):
    make_list("One"), make_list("Two")
    received("June news")
    assert titles(shown(admin, **query)) == ["June news"]


def test_own_dates_that_make_no_sense_are_said(admin):
    received()
    page = shown(admin, days="custom", start="2026-05-02", end="2026-05-01")
    assert "must come after" in words(page.select_one("[role=alert]"))


def test_a_list_and_a_sender_narrow_it_down(admin):
    news, offers = make_list("News"), make_list("Offers")
    anna, ben = (
        Sender.objects.create(name=name, from_email=f"{name}@example.org") for name in "ab"
    )
    received("To news by a", news, sender=anna)
    received("To offers by b", offers, sender=ben)
    received("To all by a", sender=anna)
    assert set(titles(shown(admin, recipient_list=news.pk))) == {"To news by a", "To all by a"}
    assert titles(shown(admin, sender=ben.pk)) == ["To offers by b"]
    assert "Nothing was sent in these days" in words(
        shown(admin, sender=ben.pk, recipient_list=news.pk)
    )


def test_who_has_one_list_is_not_asked_for_it(admin):
    make_list("Only one")
    received()
    assert not shown(admin).select("[name=recipient_list], [name=sender], [name=site]")


def test_best_and_worst_need_enough_copies(admin, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"ranking_floor": 10}
    received("Good", copies=10, clicks=8)
    received("Poor", copies=10, clicks=1)
    received("Chance", copies=2, clicks=2)
    page = shown(admin)
    best, worst = page.select(".wei-ranked")
    assert "Good" in words(best)
    assert "80.0 % 8 of 10" in words(best)
    assert "Poor" in words(worst)
    assert "Chance" not in words(best) + words(worst)
    assert "at least 10 delivered copies" in words(page)


def test_without_two_large_mailings_nothing_is_ranked(admin):
    received("Small", copies=3, clicks=3)
    page = shown(admin)
    assert not page.select(".wei-ranked")
    assert "fewer than two can be ranked" in words(page)


def test_the_trend_has_a_bar_and_a_row_for_each_day_with_a_mailing(admin):
    received(copies=10, clicks=2, days_ago=2)
    received(copies=20, clicks=1, days_ago=5)
    page = shown(admin, days="7")
    assert [len(chart.select("rect")) for chart in page.select(".wei-trend")] == [2, 2, 2]
    delivered, _opened, clicked = page.select(".wei-trend")
    assert [bar["height"] for bar in delivered.select("rect")] == ["120.0", "60.0"]
    assert [bar["height"] for bar in clicked.select("rect")] == ["30.0", "120.0"]
    rows = [words(row) for row in page.select(".wei-overview__trend tbody tr")]
    assert ["5.0 %" in rows[0], "20.0 %" in rows[1], len(rows)] == [True, True, 2]


def test_the_table_sorts_both_ways_with_dashes_last(admin):
    received("Half", copies=4, clicks=2)
    received("All", copies=4, clicks=4)
    received("Nothing delivered", copies=0)
    received("None", copies=4)
    assert titles(shown(admin, ordering="clicked")) == ["None", "Half", "All", "Nothing delivered"]
    assert titles(shown(admin, ordering="-clicked")) == ["All", "Half", "None", "Nothing delivered"]


def test_the_heads_of_columns_lead_to_sorting_and_keep_the_choice(admin):
    received()
    page = shown(admin, days="90", ordering="-clicked")
    links = [link["href"] for link in page.select("table.listing thead a")]
    assert any("ordering=clicked" in link and "days=90" in link for link in links)
    assert any("ordering=started_at" in link for link in links)


def test_the_table_is_paged(admin):
    for number in range(51):
        received(f"Number {number}", copies=0)
    assert len(titles(shown(admin))) == 50
    assert len(titles(shown(admin, p="2"))) == 1


def test_open_alerts_are_shown_and_closed_ones_are_not(admin):
    email = received("June news").email
    Alert.objects.create(
        email=email, code="bounces", severity=Severity.CRITICAL, sentence="9 % came back."
    )
    Alert.objects.create(
        email=email,
        code="spam",
        severity=Severity.WARNING,
        sentence="Over.",
        over_at=timezone.now(),
    )
    text = words(shown(admin))
    assert "9 % came back." in text
    assert "Over." not in text


def test_chosen_mailings_are_compared_and_added_up(admin):
    large, small = received("Large", copies=90, clicks=9), received("Small", copies=10, clicks=10)
    page = shown(admin)
    assert page.select_one(f"form[action='{COMPARE}'] input[value='{large.pk}']")
    response = admin.get(COMPARE, {"mailing": [large.pk, small.pk]})
    rows = BeautifulSoup(response.content, "html.parser").select(".wei-compare tbody tr")
    [clicked] = [row for row in rows if row["data-figure"] == "clicked"]
    assert [words(cell.strong) for cell in clicked.select("td")] == ["10.0 %", "100.0 %", "19.0 %"]


@pytest.mark.parametrize("query", ["", "?mailing=x", "?mailing=99999999999999999999&mailing=0"])
def test_comparing_needs_two(admin, query):
    one = received()
    for url in (COMPARE + query, f"{COMPARE}?mailing={one.pk}&mailing={one.pk}"):
        assert "Choose two to 6 mailings" in admin.get(url).content.decode()


def test_a_mailing_that_never_started_is_not_compared(admin):
    one = received()
    draft = received("Draft", state=MailingState.DRAFT, started_at=None, finished_at=None)
    response = admin.get(COMPARE, {"mailing": [one.pk, draft.pk]})
    assert "Choose two to 6 mailings" in response.content.decode()


def test_the_same_numbers_are_exported(admin):
    received("Large", copies=90, clicks=9)
    received("=cmd()", copies=10, clicks=10)
    response = admin.get(OVERVIEW, {"export": "csv"})
    assert "attachment" in response["Content-Disposition"]
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    header, *rows = list(csv.reader(io.StringIO(text)))
    column = header.index("Clicked (share)")
    shares = {row[0]: row[column] for row in rows}
    assert shares == {"Large": "0.1", "'=cmd()": "1.0", "All together": "0.19"}


def test_the_workbook_opens(admin):
    received("Large", copies=90, clicks=9)
    response = admin.get(OVERVIEW, {"export": "xlsx"})
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    assert [row[0].value for row in sheet.iter_rows()] == ["E-mail", "Large", "All together"]


def test_hostile_titles_are_only_words(admin):
    one, two = received("<script>alert(1)</script>"), received("<img src=x onerror=y>")
    for url in (OVERVIEW, f"{COMPARE}?mailing={one.pk}&mailing={two.pk}"):
        html = admin.get(url).content.decode()
        assert "<script>alert(1)" not in html
        assert "<img src=x" not in html


def test_it_costs_the_same_for_2_mailings_and_40(queries_of):
    for number in range(2):
        received(f"Number {number}", copies=3, clicks=1)
    few = queries_of(OVERVIEW)
    for number in range(38):
        received(f"Number {number}", copies=5, clicks=2, opens=1)
    assert queries_of(OVERVIEW) == few
