from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from tests.admin.received import happen, received
from tests.admin.statistics_world import address
from tests.factories import make_document, make_email, make_mailing
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import DeliveryState
from wagtail_email_insights.statistics.figures import figures_for_email
from wagtail_email_insights.tracking.models import EventKind, TrackedLink

pytestmark = pytest.mark.django_db

HEADS = {
    "Sent",
    "Delivered",
    "Opened",
    "Clicked",
    "Unsubscribed",
    "Attachment views",
}


def listing() -> str:
    return reverse(Email.snippet_viewset.get_url_name("list"))


def table(client, **query) -> BeautifulSoup:
    response = client.get(listing(), query)
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser").select_one("table.listing")


def heads(found: BeautifulSoup) -> list[str]:
    return [cell.get_text(strip=True) for cell in found.select("thead th")]


def rows(client, **query) -> dict[str, dict[str, str]]:
    """Every row by the title of its e-mail, each cell by the head of its column."""
    found = table(client, **query)
    cells = [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]
        for row in found.select("tbody tr")
    ]
    titles = [cell.get_text(strip=True) for cell in found.select(".title-wrapper")]
    return {
        title: dict(zip(heads(found), row, strict=True))
        for title, row in zip(titles, cells, strict=True)
    }


def test_figures_are_only_for_those_who_may_view_statistics(editor):
    received()
    assert not HEADS & set(heads(table(editor("view_email", "change_email"))))
    assert set(heads(table(editor("view_email", "view_statistics")))) >= HEADS


def test_sorting_by_a_figure_needs_the_right_to_see_it(editor):
    received("Few", clicks=1)
    received("Many", clicks=4)
    client = editor("view_email", "change_email")
    assert list(rows(client, ordering="kpi_click_rate")) == ["Many", "Few"]  # as ever, by age


def test_each_email_shows_the_figures_of_all_its_mailings(admin):
    email = make_email("June news")
    received(copies=10, clicks=2, opens=3, email=email)
    again = received(copies=10, email=email)
    happen(again, EventKind.UNSUBSCRIBE, list(again.deliveries.all()[:1]))
    row = rows(admin)["June news"]
    assert [row[head] for head in ("Sent", "Delivered", "Opened", "Clicked", "Unsubscribed")] == [
        "20",
        "20",
        "25.0 %",
        "10.0 %",
        "1",
    ]
    figures = figures_for_email(email)
    assert (figures["opened"].rate, figures["clicked"].rate) == (0.25, 0.1)


def test_an_email_that_was_not_sent_has_dashes(admin):
    make_mailing(make_email("A draft"))
    assert {rows(admin)["A draft"][head] for head in HEADS} == {"–"}


def test_views_of_attachments_are_a_dash_without_attachments(admin, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    mailing = received("With a file")
    document = make_document()
    TrackedLink.objects.create(mailing=mailing, position=1, url="/f", document_id=document.pk)
    received("Without")
    found = rows(admin)
    assert found["With a file"]["Attachment views"] == "0"
    assert found["Without"]["Attachment views"] == "–"
    happen(mailing, EventKind.DOWNLOAD, list(mailing.deliveries.all()[:2]))
    assert rows(admin)["With a file"]["Attachment views"] == "2"


def test_attachments_of_what_was_never_sent_do_not_count(admin):
    email = received("Without").email
    draft = make_mailing(email)
    TrackedLink.objects.create(mailing=draft, position=0, url="/f", document_id=7)
    assert rows(admin)["Without"]["Attachment views"] == "–"


def test_what_readers_of_uncertain_copies_did_is_shown(admin):
    """Nothing was sent for certain, and something happened all the same."""
    mailing = received("Uncertain", copies=2)
    mailing.deliveries.update(state=DeliveryState.UNCERTAIN)
    happen(mailing, EventKind.UNSUBSCRIBE, list(mailing.deliveries.all()))
    make_email("Never sent")
    row = rows(admin)["Uncertain"]
    assert [row[head] for head in ("Sent", "Clicked", "Unsubscribed")] == ["–", "–", "2"]
    for ordering in ("kpi_unsubscribed", "-kpi_unsubscribed"):
        assert list(rows(admin, ordering=ordering)) == ["Uncertain", "Never sent"]


def test_replies_stand_there_once_somebody_reports_them(admin):
    mailing = received()
    assert "Replies" not in heads(table(admin))
    happen(mailing, EventKind.REPLY, list(mailing.deliveries.all()[:3]))
    assert rows(admin)["June news"]["Replies"] == "3"


@pytest.mark.parametrize(
    ("key", "upwards"),
    [
        ("kpi_sent", ["Low", "High"]),
        ("kpi_delivered", ["Low", "High"]),
        ("kpi_open_rate", ["Low", "High"]),
        ("kpi_click_rate", ["Low", "High"]),
        ("kpi_unsubscribed", ["Low", "High"]),
    ],
)
def test_the_list_sorts_both_ways_with_dashes_last(admin, key, upwards):
    received("Low", copies=3)
    high = received("High", copies=4, clicks=3)
    happen(high, EventKind.UNSUBSCRIBE, list(high.deliveries.all()))
    make_email("Never sent")
    assert list(rows(admin, ordering=key)) == [*upwards, "Never sent"]
    assert list(rows(admin, ordering=f"-{key}")) == [*reversed(upwards), "Never sent"]


def test_the_heads_lead_to_sorting(admin):
    received()
    links = [link["href"] for link in table(admin).select("thead a")]
    for key in ("kpi_sent", "kpi_click_rate", "kpi_attachment_views", "mailing_started_at"):
        assert any(f"ordering={key}" in link for link in links), key


def test_what_was_sent_last_can_stand_first(admin):
    received("Older", days_ago=5)
    received("Oldest", days_ago=9)
    make_email("Never sent")
    assert list(rows(admin, ordering="-mailing_started_at")) == ["Older", "Oldest", "Never sent"]


def test_searching_and_sorting_go_together(admin):
    received("Garden news one", clicks=1)
    received("Garden news two", clicks=3)
    received("Something else", clicks=2)
    found = rows(admin, q="garden", ordering="-kpi_click_rate")
    assert list(found) == ["Garden news two", "Garden news one"]


def test_the_list_costs_the_same_for_1_email_and_50(queries_of):
    received()
    few = queries_of(listing())
    for number in range(49):
        received(f"Number {number}", clicks=1)
    assert queries_of(listing()) == few


def test_a_copy_says_that_it_is_one(admin):
    email = make_email("June news")
    url = reverse(Email.snippet_viewset.get_url_name("copy"), args=[email.pk])
    html = BeautifulSoup(admin.get(url).content, "html.parser")
    assert html.select_one("input[name=title]")["value"] == "June news (copy)"
    assert html.select_one("input[name=subject]")["value"] == "June news"


def test_the_title_of_a_copy_fits(admin):
    email = make_email("x" * 200, subject="Short")
    url = reverse(Email.snippet_viewset.get_url_name("copy"), args=[email.pk])
    title = BeautifulSoup(admin.get(url).content, "html.parser").select_one("input[name=title]")
    assert title["value"] == "x" * 193 + " (copy)"


def test_the_editor_explains_every_merge_tag(admin):
    html = admin.get(reverse(Email.snippet_viewset.get_url_name("add"))).content.decode()
    for words in (
        "{{ first_name|default:&quot;there&quot; }}",
        "{{ first_name }}",
        "{{ last_name }}",
        "{{ name }}",
        "{{ email }}",
    ):
        assert words in html.replace('default:"there"', "default:&quot;there&quot;"), words


def test_what_was_sent_leads_to_its_statistics(admin_client, editor):
    sent = address("statistics", received().email_id)
    draft = address("statistics", make_email("Draft").pk)
    html = admin_client.get(listing()).content.decode()
    assert f'href="{sent}"' in html
    assert f'href="{draft}"' not in html
    without = editor("view_email", "change_email").get(listing()).content.decode()
    assert f'href="{sent}"' not in without
