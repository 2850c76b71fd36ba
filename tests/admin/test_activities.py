from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.db.models import JSONField, Value
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.activities.queries import OF_MAILINGS
from wagtail_email_insights.admin import activities
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import MailingState
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.tracking import ledger
from wagtail_email_insights.tracking.models import (
    Event,
    EventKind,
    MailingTotals,
    TrackedLink,
    Verdict,
)

pytestmark = pytest.mark.django_db
NOTE = "Why do the statistics show more?"
SHOP = "https://example.com/shop?a=1&b=2"


def address(name: str, email: Email) -> str:
    return reverse(Email.snippet_viewset.get_url_name(name), args=[email.pk])


def make_sent(email: Email | None = None):
    return make_mailing(email or make_email(), state=MailingState.SENT, started_at=timezone.now())


@pytest.fixture
def sent() -> Email:
    mailing = make_sent()
    link = TrackedLink.objects.create(mailing=mailing, position=0, url=SHOP)
    ledger.store(
        [
            Event(kind=EventKind.CLICK, contact=make_contact(), mailing=mailing, link=link, copy=n)
            for n in range(3)
        ]
    )
    return mailing.email


def shown(client, email: Email, **query) -> list[str]:
    """Who did what on the page, as it stands there."""
    lines = client.get(address("activities", email), query).context["feed"].lines
    return [f"{line.activity.event.contact} {line.activity.event.kind}" for line in lines]


def many(email: Email, number: int) -> None:
    contact, now = make_contact("busy@example.org"), timezone.now()
    ledger.store(
        [
            Event(
                kind=EventKind.OPEN,
                contact=contact,
                mailing=email.mailings.get(),
                copy=99,
                at=now - timedelta(minutes=minute + 1),
            )
            for minute in range(number)
        ]
    )


def test_shows_who_did_what_when_and_where_it_led(admin, sent):
    html = admin.get(address("activities", sent)).content.decode()
    contact = Event.objects.first().contact
    assert f'<a href="{reverse("email_contacts:inspect", args=[contact.pk])}">' in html
    assert 'href="https://example.com/shop?a=1&amp;b=2"' in html
    assert "#icon-link" in html
    assert "<time" in html
    assert "Clicked a link" in html


@pytest.mark.parametrize("kind", OF_MAILINGS)
def test_every_kind_can_be_shown_and_chosen(admin, sent, kind):
    Event.objects.create(
        kind=kind, contact=make_contact("ann@example.org"), mailing=sent.mailings.get()
    )
    assert f"ann@example.org {kind}" in shown(admin, sent, kind=kind)
    html = admin.get(address("activities", sent)).content.decode()
    assert f'name="kind" value="{kind.value}"' in html


def test_a_doubtful_verdict_is_said_quietly(admin, sent):
    assert "wei-doubt" not in admin.get(address("activities", sent)).content.decode()
    Event.objects.update(verdict=Verdict.PROXY, verdict_reason="image_proxy")
    html = admin.get(address("activities", sent)).content.decode()
    assert html.count('class="wei-doubt"') == 3
    assert "The mail service fetched the image for its reader" in html


def test_the_time_is_told_from_now_and_exactly(admin, sent):
    at = timezone.now() - timedelta(hours=3)
    Event.objects.update(at=at)
    html = admin.get(address("activities", sent)).content.decode()
    assert "3\xa0hours ago" in html
    assert f'datetime="{timezone.localtime(at).isoformat()[:16]}' in html


def test_refreshing_the_feed_counts_nothing(admin, sent):
    url = address("activities_fragment", sent)
    with CaptureQueriesContext(connection) as captured:
        html = admin.get(url).content.decode()
    assert not [query for query in captured if "COUNT(" in query["sql"]]
    assert NOTE not in html
    assert SHOP.replace("&", "&amp;") in html


def test_a_full_page_costs_as_many_queries_as_a_short_one(admin, sent, queries_of):
    urls = [address(name, sent) for name in ("activities", "activities_fragment")]
    few = [queries_of(url) for url in urls]
    many(sent, 200)
    assert [queries_of(url) for url in urls] == few


def test_pages_lead_on_and_back_and_keep_the_filter(admin, sent, monkeypatch):
    monkeypatch.setattr(activities, "ON_PAGE", 4)
    many(sent, 6)
    first = admin.get(address("activities", sent), {"kind": "open"}).context["feed"]
    assert first.is_live
    second = admin.get(first.following_url).context["feed"]
    assert len(first.lines) == 4
    assert len(second.lines) == 2
    assert not second.is_live
    assert not second.following_url
    assert second.chosen.kinds == ("open",)
    again = admin.get(second.previous_url).context["feed"]
    assert again.lines == first.lines


def test_only_the_first_page_refreshes_itself_and_with_the_filter(admin, sent, monkeypatch):
    monkeypatch.setattr(activities, "ON_PAGE", 2)
    html = admin.get(address("activities", sent), {"kind": "click"}).content.decode()
    assert f'data-wei-live="{address("activities_fragment", sent)}?kind=click"' in html
    for query in ({"sort": "oldest"}, {"after": "2030-01-01T00:00:00+00:00~5"}):
        html = admin.get(address("activities", sent), query).content.decode()
        assert "data-wei-live" not in html, query


def test_choosing_narrows_down(admin, sent):
    mailing, news = sent.mailings.get(), make_list("News")
    ann = make_contact("ann@example.org")
    subscribe(ann, news)
    segment = Segment.objects.create(
        name="Subscribed", conditions=[("on_list", {"recipient_list": news, "negate": False})]
    )
    Event.objects.create(kind=EventKind.OPEN, contact=ann, mailing=mailing, verdict="proxy")
    for query in (
        {"kind": "open"},
        {"list": news.pk},
        {"segment": segment.pk},
        {"verdict": "proxy"},
        {"q": "ann@"},
    ):
        assert shown(admin, sent, **query) == ["ann@example.org open"], query
    assert len(shown(admin, sent, link=SHOP)) == 3
    assert shown(admin, sent, link="https://example.com/") == []
    assert len(shown(admin, sent, kind=["open", "click"])) == 4


def test_what_is_chosen_stands_in_the_form(admin, sent):
    query = {"kind": "click", "link": SHOP, "from": "2026-06-01", "q": "a<b", "sort": "oldest"}
    html = admin.get(address("activities", sent), query).content.decode()
    assert 'name="kind" value="click" checked' in html
    assert 'value="https://example.com/shop?a=1&amp;b=2" selected' in html
    assert 'name="from" value="2026-06-01"' in html
    assert 'value="a&lt;b"' in html
    assert 'value="oldest" selected' in html


def test_a_send_can_be_chosen_where_there_are_several(admin, sent):
    assert "wei-mailing" not in admin.get(address("activities", sent)).content.decode()
    other = make_sent(sent)
    Event.objects.create(
        kind=EventKind.CLICK, contact=make_contact("ann@example.org"), mailing=other
    )
    assert "wei-mailing" in admin.get(address("activities", sent)).content.decode()
    assert shown(admin, sent, mailing=other.pk) == ["ann@example.org click"]
    coverage = admin.get(address("activities", sent), {"mailing": other.pk}).context["coverage"]
    assert coverage.clicks.counted == 0


def test_a_mailing_of_another_email_shows_nothing(admin, sent):
    other = make_sent()
    Event.objects.create(kind=EventKind.CLICK, contact=make_contact(), mailing=other)
    assert shown(admin, sent, mailing=other.pk) == []
    context = admin.get(address("activities", sent), {"mailing": other.pk}).context
    assert context["coverage"].clicks.counted == 0


def test_a_segment_is_for_those_who_may_see_who_is_in_it(editor, sent):
    segment = Segment.objects.create(name="Very private")
    client = editor("view_activities")
    html = client.get(address("activities", sent), {"segment": segment.pk}).content.decode()
    assert "Very private" not in html
    assert "Left out, because it cannot be understood or is not for you: Segment." in html
    # Nobody is in it: whoever may ask sees nothing.
    assert len(shown(client, sent, segment=segment.pk)) == 3
    client = editor("view_activities", "view_contact")
    assert shown(client, sent, segment=segment.pk) == []
    assert "Very private" in client.get(address("activities", sent)).content.decode()


def test_a_segment_nobody_can_tell_says_why(admin, sent):
    segment = Segment.objects.create(name="Old")
    # Past the field, which would drop a condition that is not registered.
    stored = Value([{"type": "gone", "value": {}}], JSONField())
    Segment.objects.filter(pk=segment.pk).update(conditions=stored)
    response = admin.get(address("activities", sent), {"segment": segment.pk})
    assert response.status_code == 200
    assert "not installed any more: gone" in response.content.decode()


def test_the_page_says_once_why_there_are_fewer(admin, sent):
    html = admin.get(address("activities", sent)).content.decode()
    assert html.count(NOTE) == 1
    # Below the part that is fetched again and again, not in it.
    [refreshed] = BeautifulSoup(html, "html.parser").select("[data-wei-live]")
    assert SHOP in refreshed.text
    assert NOTE not in refreshed.text


def test_the_note_gives_the_numbers(admin, sent):
    mailing = sent.mailings.get()
    ledger.store(
        [
            *(Event(kind=EventKind.CLICK, mailing=mailing, copy=-n) for n in range(1, 5)),
            Event(kind=EventKind.CLICK, mailing=mailing, copy=-9, verdict=Verdict.MACHINE),
        ]
    )
    assert note_of(admin, sent) == {
        "In the statistics": ["7", "0"],
        "Of these by people who may be known, listed here": ["3", "0"],
        "Of these by others": ["4", "0"],
        "Besides, by machines: kept apart from both": ["1", "0"],
    }


def note_of(client, email) -> dict[str, list[str]]:
    """Clicks and opens as the table in the note has them, by what they are."""
    page = BeautifulSoup(client.get(address("activities_coverage", email)).content, "html.parser")
    return {
        " ".join(row.th.text.split()): [cell.text for cell in row.select("td")]
        for row in page.select("tbody tr")
    }


def test_what_retention_deleted_is_neither_listed_nor_called_nobodys_doing(admin, sent):
    mailing = sent.mailings.get()
    Event.objects.filter(mailing=mailing).delete()
    MailingTotals.objects.filter(pk=mailing.pk).update(
        events_removed_at=datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
    )
    for name in ("activities", "activities_fragment"):
        html = text_of(admin, sent, name)
        assert "The single activities were deleted on May 3, 2026" in html
        assert "Nobody who agreed" not in html
    note = text_of(admin, sent, "activities_coverage")
    assert "The single activities were deleted on May 3, 2026" in note
    assert note_of(admin, sent)["Of these by people who might be known, listed here before"]
    assert "known, listed here<" not in note


def text_of(client, email, name: str) -> str:
    return " ".join(client.get(address(name, email)).content.decode().split())


def test_one_copy_is_one_copy(admin):
    mailing = make_sent()
    mailing.deliveries.create(contact=make_contact(), state="sent", identified=True)
    note = text_of(admin, mailing.email, "activities_coverage")
    assert "<strong>1 of 1</strong> copy went to them" in note


def test_where_everything_is_nameless_the_note_says_why(admin):
    mailing = make_sent()
    url = address("activities_coverage", mailing.email)
    assert "Nothing of this may be shown" not in admin.get(url).content.decode()
    ledger.store([Event(kind=EventKind.CLICK, mailing=mailing, copy=-1)])
    html = admin.get(url).content.decode()
    assert "Nothing of this may be shown" in html
    assert "No copy went to anybody who had agreed to be known" in html


def test_the_panel_fetches_the_note_once(admin, sent):
    url = address("activities_coverage", sent)
    assert url in admin.get(address("edit", sent)).content.decode()
    html = admin.get(url).content.decode()
    assert NOTE in html
    # What makes the script stop asking.
    assert "data-wei-done" in html


def test_the_panel_shows_fewer(admin, sent):
    many(sent, 60)
    url = address("activities_fragment", sent)
    assert len(admin.get(url, {"panel": ""}).context["feed"].lines) == activities.IN_PANEL
    assert len(admin.get(url).context["feed"].lines) == activities.ON_PAGE


@pytest.mark.parametrize("name", ["activities", "activities_fragment", "activities_coverage"])
def test_everything_needs_the_permission(editor, sent, name):
    url = address(name, sent)
    assert editor("change_email", "view_statistics", "export_contacts").get(url).status_code == 302
    assert editor("view_activities").get(url).status_code == 200


def test_clickers_can_be_made_into_something(admin, sent):
    def people(**query) -> str:
        return admin.get(address("activities", sent), query).context["people_url"]

    link = TrackedLink.objects.get()
    clicked = reverse(Email.snippet_viewset.get_url_name("people"), args=[sent.pk, "clicked"])
    assert people(kind="click") == f"{clicked}?mailing="
    assert people(link=SHOP) == f"{clicked}?link={link.pk}&mailing="
    assert admin.get(people(link=SHOP)).status_code == 200
    for query in ({}, {"kind": "open"}, {"kind": "click", "q": "ann"}, {"kind": ["click", "open"]}):
        assert people(**query) == "", query


def test_nothing_yet_is_told_in_each_case(admin):
    def html(**query) -> str:
        return admin.get(address("activities", email), query).content.decode()

    email = make_email()
    assert "has not been sent yet" in html()
    make_sent(email)
    assert "Nobody who agreed to be known" in html()
    assert "No activity matches" in html(q="nobody")
    assert "nothing further" in html(after="2000-01-01T00:00:00+00:00~5")


@pytest.mark.parametrize(
    "query",
    [
        {"q": "\0"},
        {"q": "ann\0@"},
        {"link": "\0"},
        {"from": "0001-01-01"},
        {"to": "9999-12-31"},
        {"list": "9" * 30},
        {"segment": "4711"},
        {"after": "2024-01-01T00:00~5"},
        {"before": "0001-01-01T00:00:00+14:00~5"},
        {"after": "2024-01-01T00:00:00+00:00~" + "9" * 30},
    ],
)
def test_nonsense_in_the_address_is_no_error(admin, sent, query):
    response = admin.get(address("activities", sent), query)
    assert response.status_code == 200
    assert "\0" not in response.content.decode()
