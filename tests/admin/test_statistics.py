from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin.statistics_world import (
    address,
    happen,
    link_of,
    machine_clicks,
    readers,
    send,
    text_of,
)
from tests.factories import make_contact, make_email, make_list, subscribe
from wagtail_email_insights.admin.charts import round_up, time_chart
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import Mailing, MailingState
from wagtail_email_insights.statistics.curves import curve_for
from wagtail_email_insights.tracking import totals
from wagtail_email_insights.tracking.models import EventKind, LeavingReason, Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailing():
    return send(None, readers())


def page(client, mailing, query: str = "") -> str:
    return text_of(client.get(address("statistics", mailing.email_id) + query))


def tile(html: str, code: str) -> str:
    """The text of one tile, without its tags."""
    found = re.search(rf'data-figure="{code}">(.*?)</div>', html)
    assert found, f"no tile {code}"
    return " ".join(re.sub(r"<[^>]*>", " ", found[1]).split())


def test_a_tile_says_number_denominator_coverage_meaning_and_trust(admin_client, mailing):
    happen(mailing, "ann")
    happen(mailing, "ann")
    happen(mailing, "dan")
    clicked = tile(page(admin_client, mailing), "clicked")
    assert "2 40.0 %" in clicked
    assert "2 of 5 delivered" in clicked
    assert "3 times in all 2 of these times by people who may be known" in clicked
    assert "at least one link was followed" in clicked
    assert "most reliable sign" in clicked


def test_opens_are_labelled_approximate(admin_client, mailing):
    html = page(admin_client, mailing)
    assert "approximate" in tile(html, "opened")
    assert "approximate" not in tile(html, "unsubscribed")


def test_what_nobody_reports_has_no_tile(admin_client, mailing):
    html = page(admin_client, mailing)
    assert 'data-figure="complained"' not in html
    happen(mailing, "ann", EventKind.COMPLAINT)
    assert "1 of 5 delivered" in tile(page(admin_client, mailing), "complained")


def test_bounces_are_told_apart_in_their_tile(admin_client, mailing):
    happen(mailing, "ann", EventKind.HARD_BOUNCE)
    happen(mailing, "ben", EventKind.SOFT_BOUNCE)
    bounced = tile(page(admin_client, mailing), "bounced")
    assert "2 of 5 sent" in bounced
    assert "for good: 1" in bounced
    assert "for now: 1" in bounced


def test_one_switch_takes_machines_in_and_proxies_out(admin_client, mailing):
    happen(mailing, "ann", EventKind.OPEN)
    happen(mailing, "ben", EventKind.OPEN, verdict=Verdict.PROXY)
    machine_clicks(mailing, "cleo")

    usual = page(admin_client, mailing)
    assert "2 of 5 delivered" in tile(usual, "opened")
    assert "0 of 5 delivered" in tile(usual, "clicked")
    assert "1 click by machines, such as link scanners. 0 opens by machines." in usual
    assert "They are in none of the figures above." in usual

    people = page(admin_client, mailing, "?scope=people")
    assert "1 of 5 delivered" in tile(people, "opened")

    everything = page(admin_client, mailing, "?scope=everything")
    assert "3 of 5 delivered" in tile(everything, "opened")
    assert "1 of 5 delivered" in tile(everything, "clicked")
    assert "They are in the figures above." in everything


def test_the_switch_says_what_is_chosen_and_what_that_means(admin_client, mailing):
    html = page(admin_client, mailing, "?scope=people")
    chosen = re.findall(r'<a class="wei-scope__choice"[^>]*aria-current="true">([^<]*)', html)
    assert chosen == ["People only"]
    assert "Only what people did themselves" in html


def test_several_mailings_are_added_up_unless_one_is_chosen(admin_client, mailing):
    happen(mailing, "ann")
    other = make_list("Others")
    subscribe(make_contact("fay@example.org", agrees=True), other)
    second = send(mailing.email, other)
    assert "1 of 6 delivered" in tile(page(admin_client, mailing), "clicked")
    one = page(admin_client, mailing, f"?mailing={second.pk}")
    assert "0 of 1 delivered" in tile(one, "clicked")
    assert f'<option value="{second.pk}" selected>' in one


@pytest.mark.parametrize(
    "query", ["?mailing=x", "?mailing=99999999999999999999", "?scope=y", "?compare=0", "?compare=²"]
)
def test_nonsense_in_the_address_is_ignored(admin_client, mailing, query):
    assert "0 of 5 delivered" in tile(page(admin_client, mailing, query), "clicked")


def test_another_mailing_stands_side_by_side(admin_client, mailing):
    happen(mailing, "ann")
    other = send(make_email("May news"), mailing.recipient_lists.get())
    happen(other, "ann")
    happen(other, "ben")
    html = page(admin_client, mailing, f"?compare={other.pk}")
    assert "Side by side" in html
    assert "1 of 5</span>" in html
    assert "2 of 5</span>" in html
    assert "Side by side" not in page(admin_client, mailing)


def test_what_is_usual_for_the_sender_stands_in_the_tile(admin_client, mailing, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"ranking_floor": 1}
    news = mailing.recipient_lists.get()
    for title in ("One", "Two", "Three"):
        happen(send(make_email(title), news), "ann")
    newest = send(make_email("Newest"), news)
    assert "Usual for this sender: 20.0 %" in tile(page(admin_client, newest), "clicked")
    assert "Usual" not in tile(page(admin_client, mailing), "clicked")


def test_the_curve_has_a_shape_and_a_table_that_leaves_gaps_out(admin_client, mailing):
    happen(mailing, "ann", EventKind.OPEN)
    happen(mailing, "ben", at=mailing.started_at + timedelta(hours=5))
    html = page(admin_client, mailing)
    assert '<path class="wei-band wei-band--clicks" d="M0 200L' in html
    table = html.partition('id="wei-time-hour"')[2].partition("</details>")[0]
    assert table.count("<tr>") == 3  # the heading and the two hours in which something happened


def test_an_older_mailing_has_a_curve_by_day_as_well(admin_client, mailing):
    happen(mailing, "ann")
    happen(mailing, "ben", at=mailing.started_at + timedelta(days=9))
    html = page(admin_client, mailing)
    assert 'id="wei-time-hour"' in html
    assert 'id="wei-time-day"' in html


def test_a_chart_reaches_its_upper_edge_with_the_highest_round_number(mailing):
    for name in ("ann", "ben", "cleo"):
        happen(mailing, name)
    happen(mailing, "dan", at=mailing.started_at + timedelta(hours=3))
    chart = time_chart(curve_for([mailing]))
    assert chart.top == 3
    assert chart.middle is None
    assert [band.total for band in chart.bands] == [0, 4]
    # One of three: a third up from the bottom at 200.
    assert " 133.3L" in chart.bands[1].path


def test_the_first_hour_is_no_wall(mailing):
    """There is room for a day, and the area ends where time does."""
    happen(mailing, "ann", at=mailing.started_at)
    chart = time_chart(curve_for([mailing]))
    assert len(chart.points) == 1
    assert chart.bands[1].path == "M0 200L0.0 0.0L41.7 0.0L41.7 200Z"
    assert [tick - chart.ticks[0] for tick in chart.ticks] == [
        timedelta(hours=hours) for hours in (0, 6, 12, 17, 23)
    ]


def test_whoever_compares_is_led_to_the_comparison(admin_client, mailing):
    other = send(None, mailing.recipient_lists.get())
    html = page(admin_client, mailing, f"?compare={other.pk}")
    assert f'action="{address("statistics", mailing.email_id)}#wei-comparison"' in html
    assert html.count('id="wei-comparison"') == 1


def test_parts_that_overlap_say_so(admin_client, mailing):
    happen(mailing, "ann")
    html = page(admin_client, mailing)
    assert "A copy that was read on two devices is in both rows." in html
    assert "A copy that was read in two programs is in both rows." in html


def test_files_of_one_email_have_names_of_their_own(admin_client, mailing):
    Email.objects.update(title="Größe & Maß")
    url = address("statistics_export", mailing.email_id, "csv")
    queries = ("", "?sheet=links", "?sheet=links&scope=everything")
    names = [admin_client.get(url + query)["Content-Disposition"] for query in queries]
    assert names == [
        'attachment; filename="grosse-mass-figures.csv"',
        'attachment; filename="grosse-mass-links.csv"',
        'attachment; filename="grosse-mass-links-everything.csv"',
    ]


@pytest.mark.parametrize(
    ("number", "rounded"),
    [
        (0, 0),
        (1, 1),
        (7, 8),
        (9, 10),
        (10, 10),
        (11, 12),
        (24, 25),
        (99, 100),
        (101, 120),
        (5_000_001, 6_000_000),
    ],
)
def test_rounding_up_for_an_axis(number, rounded):
    assert round_up(number) == rounded


def test_links_show_readers_and_clicks(admin_client, mailing):
    happen(mailing, "ann")
    happen(mailing, "ann")
    happen(mailing, "dan")
    html = page(admin_client, mailing)
    row = html.partition("wei-links")[2].partition("</tr>")[2].partition("</tr>")[0]
    plain = " ".join(re.sub(r"<[^>]*>", " ", row).split())
    assert plain.startswith(link_of(mailing).url.replace("&", "&amp;"))
    assert "100.0 %" in plain
    assert plain.endswith(" 3")


def test_devices_and_reasons_for_leaving_are_broken_down(admin_client, mailing):
    happen(mailing, "ann")
    happen(mailing, "ben", EventKind.UNSUBSCRIBE, why=LeavingReason.TOO_OFTEN)
    html = page(admin_client, mailing)
    assert "By device" in html
    assert ">Phone<" in html.replace("> ", ">").replace(" <", "<")
    assert "It comes too often" in html


def test_lists_segments_and_languages_are_counted_only_when_asked_for(admin_client, mailing):
    happen(mailing, "ann")
    html = page(admin_client, mailing)
    url = address("statistics_part", mailing.email_id, "list")
    assert f'data-wei-once="{url}"' in html
    assert "Rates are of the copies" not in html
    part = text_of(admin_client.get(url))
    assert "News" in part
    assert "Rates are of the copies" in part
    for name in ("segment", "language"):
        assert (
            admin_client.get(address("statistics_part", mailing.email_id, name)).status_code == 200
        )
    assert admin_client.get(address("statistics_part", mailing.email_id, "star")).status_code == 404


def test_an_email_that_was_never_sent_says_so(admin_client):
    html = text_of(admin_client.get(address("statistics", make_email().pk)))
    assert "has not been sent yet" in html
    assert "Tests, drafts and previews are never counted." in html
    assert "wei-figure" not in html


def test_while_it_is_being_sent_the_page_says_so(admin_client, mailing):
    Mailing.objects.filter(pk=mailing.pk).update(state=MailingState.SENDING)
    assert "the figures still grow" in page(admin_client, mailing)


def test_where_nobody_may_be_known_the_page_says_so(admin_client):
    news = make_list("News")
    subscribe(make_contact("dan@example.org"), news)
    mailing = send(None, news)
    happen(mailing, "dan")
    html = page(admin_client, mailing)
    assert "Nobody who got this e-mail has agreed to be known" in html
    assert "1 of 1 delivered" in tile(html, "clicked")


def test_of_others_it_speaks_only_where_there_are_any(admin_client, mailing):
    assert "All others are counted here too" in page(admin_client, mailing)
    news = make_list("Agreed")
    subscribe(make_contact("fay@example.org", agrees=True), news)
    html = page(admin_client, send(None, news))
    assert "1 of 1 copy (100.0 %)" in html
    assert "others are counted" not in html


@pytest.mark.parametrize(
    ("counting", "words"),
    [
        ("per_copy", "complete all the same"),
        ("shared", "their copies are not told apart"),
        ("off", "their copies are not told apart"),
    ],
)
def test_it_does_not_call_complete_what_is_not(admin_client, settings, counting, words):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"anonymous_counting": counting}
    news = make_list("News")
    for name in ("dan", "eve"):
        subscribe(make_contact(f"{name}@example.org"), news)
    html = page(admin_client, send(None, news))
    assert words in html
    assert ("2 of the others cannot be told apart" in html) is (counting != "per_copy")
    assert ("counted here too, but anonymously" in html) is (counting == "per_copy")


def test_the_panel_shows_the_essential_part_and_leads_to_the_page(admin_client, mailing):
    happen(mailing, "ann")
    url = address("statistics_fragment", mailing.email_id)
    html = text_of(admin_client.get(f"{url}?panel"))
    assert "1 of 5 delivered" in tile(html, "clicked")
    assert "Clicks by link" in html
    assert "wei-chart" not in html
    assert f'href="{address("statistics", mailing.email_id)}"' in html
    assert "<html" not in html


def test_numbers_lead_to_people_only_for_those_who_may_see_them(editor, mailing):
    happen(mailing, "ann")
    client = editor("view_statistics")
    html = page(client, mailing)
    assert "/people/" not in html
    assert "/correct/" not in html


@pytest.mark.parametrize(
    "name", ["statistics", "statistics_fragment", "click_map", "click_map_frame"]
)
def test_statistics_need_their_permission(editor, mailing, name):
    client = editor("view_activities", "change_email", "send_email")
    assert client.get(address(name, mailing.email_id)).status_code == 302
    assert client.get(address("statistics_part", mailing.email_id, "list")).status_code == 302
    assert client.get(address("statistics_export", mailing.email_id, "csv")).status_code == 302


@pytest.mark.parametrize("query", ["", "?panel"])
def test_fragments_cost_the_same_for_many_events_and_links(
    admin_client, mailing, django_assert_num_queries, query
):
    url = address("statistics_fragment", mailing.email_id) + query
    happen(mailing, "ann")
    admin_client.get(url)
    with CaptureQueriesContext(connection) as few:
        admin_client.get(url)
    for name in ("ann", "ben", "cleo", "dan", "eve"):
        for position in (0, 1):
            happen(mailing, name, link=link_of(mailing, position), client=f"Program {name}")
    with django_assert_num_queries(len(few)):
        admin_client.get(url)
    over_events = [
        query["sql"] for query in few if 'COUNT("wagtail_email_insights_event"' in query["sql"]
    ]
    assert not over_events


def test_figures_can_be_taken_along_as_csv_and_as_a_workbook(admin_client, mailing):
    happen(mailing, "ann")
    answer = admin_client.get(address("statistics_export", mailing.email_id, "csv"))
    text = b"".join(answer.streaming_content).decode()
    assert "attachment" in answer["Content-Disposition"]
    assert re.search(r"^Clicked,1,5,delivered,0\.2,1,", text, re.MULTILINE)
    links = admin_client.get(address("statistics_export", mailing.email_id, "csv") + "?sheet=links")
    assert link_of(mailing).url in b"".join(links.streaming_content).decode()
    book = admin_client.get(address("statistics_export", mailing.email_id, "xlsx"))
    assert book.content.startswith(b"PK")


def test_an_export_holds_what_the_screen_shows(admin_client, mailing):
    machine_clicks(mailing, "ann")
    url = address("statistics_export", mailing.email_id, "csv")
    usual = b"".join(admin_client.get(url).streaming_content).decode()
    everything = b"".join(admin_client.get(f"{url}?scope=everything").streaming_content).decode()
    assert re.search(r"^Clicked,0,", usual, re.MULTILINE)
    assert re.search(r"^Clicked,1,", everything, re.MULTILINE)


@pytest.mark.parametrize("rest", ["csv/?sheet=nonsense", "pdf/"])
def test_an_export_that_does_not_exist_is_not_found(admin_client, mailing, rest):
    url = address("statistics", mailing.email_id)
    assert admin_client.get(f"{url}export/{rest}").status_code == 404


def test_numbers_lead_to_contacts_only_where_there_are_some(admin_client, mailing):
    happen(mailing, "ann")
    html = page(admin_client, mailing)
    assert "/people/clicked/" in html
    assert "/people/not_clicked/" in html
    assert "/people/unsubscribed/" not in html
    assert "/people/failed/" not in html
    mailing.deliveries.filter(contact__email="ben@example.org").update(state="failed")
    totals.forget([mailing.pk])
    assert "/people/failed/" in page(admin_client, mailing)


def test_a_program_is_called_by_its_name(admin_client, mailing):
    happen(mailing, "ann", client="apple_mail")
    html = page(admin_client, mailing)
    assert "Apple Mail" in html
    assert "> apple_mail" not in html
