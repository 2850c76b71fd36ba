from __future__ import annotations

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import ReferenceIndex

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.admin import activity_log, group
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink, Verdict

pytestmark = pytest.mark.django_db
INDEX = "/admin/email-insights/activities/"


def make_events(number: int) -> None:
    mailing = make_mailing(make_email("June news"))
    link = TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.com/shop")
    for _ in range(number):
        Event.objects.create(
            kind=EventKind.CLICK, contact=make_contact(), mailing=mailing, link=link
        )


def test_reading_needs_view_activities(editor):
    assert editor("view_event", "view_contact").get(INDEX).status_code == 302
    assert editor("view_activities").get(INDEX).status_code == 200


def test_nobody_adds_changes_or_deletes(admin):
    make_events(1)
    event = Event.objects.get()
    for url in ("create/", f"edit/{event.pk}/", f"delete/{event.pk}/", f"inspect/{event.pk}/"):
        assert admin.get(INDEX + url).status_code in {302, 404}, url
        assert admin.post(INDEX + url).status_code in {302, 404}, url
    assert Event.objects.get() == event
    assert "/edit/" not in admin.get(INDEX).content.decode().split("<table")[1]


def test_shows_who_did_what_and_links_to_the_contact(admin):
    make_events(1)
    contact = Event.objects.get().contact
    html = admin.get(INDEX).content.decode()
    for words in (contact.email, "Clicked a link", "https://example.com/shop", "June news"):
        assert words in html
    assert f"/admin/email-insights/contacts/inspect/{contact.pk}/" in html


def test_a_subscription_shows_its_list(admin):
    Event.objects.create(
        kind=EventKind.CONFIRM, contact=make_contact(), recipient_list=make_list("Weekly")
    )
    assert "Weekly" in admin.get(INDEX).content.decode()


def test_machines_and_nameless_events_are_left_out(admin):
    Event.objects.create(kind=EventKind.OPEN)
    Event.objects.create(
        kind=EventKind.OPEN, contact=make_contact("bot@example.org"), verdict=Verdict.MACHINE
    )
    make_events(1)
    html = admin.get(INDEX).content.decode()
    assert "bot@example.org" not in html
    assert html.count('data-object-pk="') == 1


def test_kind_and_address_narrow_it_down(admin):
    make_events(1)
    Event.objects.create(kind=EventKind.CONFIRM, contact=make_contact("ann@example.org"))
    for query in ({"q": "ann@"}, {"kind": "confirm"}):
        html = admin.get(INDEX, query).content.decode()
        assert html.count('data-object-pk="') == 1
        assert "ann@example.org" in html


def test_costs_the_same_for_3_and_30_events(queries_of):
    make_events(3)
    few = queries_of(INDEX)
    make_events(27)
    assert queries_of(INDEX) == few


def test_hostile_values_are_escaped(admin):
    hostile = "<script>alert(1)</script>"
    contact = make_contact(first_name=hostile)
    Event.objects.create(kind=EventKind.CONFIRM, contact=contact, value=hostile)
    assert "<script>alert(1)" not in admin.get(INDEX).content.decode()


def test_events_stay_out_of_the_reference_index():
    assert not ReferenceIndex.model_is_indexable(Event) or not ReferenceIndex.is_indexed(Event)


def test_counts_what_is_shown_and_what_there_is_and_never_far(admin):
    make_events(3)
    for query in ({}, {"kind": "click"}, {"q": "contact"}, {"q": "nobody at all"}):
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(INDEX, query).status_code == 200
        counts = [row["sql"] for row in captured if "COUNT(" in row["sql"]]
        assert len(counts) == (2 if query else 1), query
        assert all("LIMIT" in sql for sql in counts)


def test_says_how_many_of_all_are_shown(admin):
    make_events(3)
    assert "3 out of 3" in admin.get(INDEX).content.decode()
    assert "0 out of 3" in admin.get(INDEX, {"q": "nobody at all"}).content.decode()


def test_many_are_said_to_be_more_than_were_counted(admin, monkeypatch):
    monkeypatch.setattr(activity_log, "COUNTED", 5)
    monkeypatch.setattr(activity_log.ActivityLogAdmin, "list_per_page", 2)
    monkeypatch.setattr(group.activity_log, "list_per_page", 2)
    make_events(5)
    assert "more than" not in admin.get(INDEX).content.decode()
    make_events(2)
    response = admin.get(INDEX, {"p": "3"})
    assert "More than 5" in response.content.decode()
    assert response.context["paginator"].num_pages == 3
    assert admin.get(INDEX, {"p": "99"}).status_code == 200


def test_filters_stay_when_nothing_is_found(admin):
    make_events(1)
    html = admin.get(INDEX, {"q": "nobody at all"}).content.decode()
    assert "changelist-filter" in html
    assert html.count('data-object-pk="') == 0


@pytest.mark.parametrize(
    "query", [{"q": "\0"}, {"q": "a\0b"}, {"kind": "\0"}, {"from": "x"}, {"list": "x"}]
)
def test_a_nul_in_the_address_is_no_error(admin, query):
    make_events(1)
    assert "\0" not in admin.get(INDEX, query).context["view"].query


def found(client, **query) -> set[str]:
    return {event.contact.email for event in client.get(INDEX, query).context["object_list"]}


def test_each_filter_narrows_down(admin):
    make_events(1)
    [other] = Event.objects.all()
    ann, news = make_contact("ann@example.org"), make_list("News")
    subscribe(ann, news)
    event = Event.objects.create(kind=EventKind.OPEN, contact=ann, verdict=Verdict.PROXY)
    Event.objects.filter(pk=other.pk).update(at=timezone.now() - timedelta(days=10))
    for query in (
        {"kind": "open"},
        {"verdict": "proxy"},
        {"list": news.pk},
        {"from": timezone.localdate().isoformat()},
        {"q": "ann"},
        {"kind": "open", "verdict": "proxy", "list": news.pk},
    ):
        assert found(admin, **query) == {"ann@example.org"}, query
    assert found(admin, verdict="machine") == {other.contact.email, "ann@example.org"}
    assert found(admin, kind="open", verdict="human") == set()
    assert event.contact == ann


def test_offers_what_can_be_chosen(admin):
    make_events(1)
    make_list("Weekly")
    html = admin.get(INDEX).content.decode()
    for words in ("?kind=download", "Weekly", "?verdict=suspected", "Last 7 days"):
        assert words in html
    assert "?verdict=machine" not in html


def test_shows_symbol_verdict_and_exact_time(admin):
    make_events(1)
    Event.objects.update(verdict=Verdict.PROXY, verdict_reason="image_proxy")
    [row] = BeautifulSoup(admin.get(INDEX).content, "html.parser").select("tr[data-object-pk]")
    assert row.select_one("svg.icon-link")
    assert row.select_one("button.wei-doubt").text == "Mail service's image proxy"
    assert row.select_one("time").text.strip() == "Just now"


def test_sorts_by_time_both_ways(admin):
    make_events(3)
    newest = list(admin.get(INDEX).context["object_list"])
    html = admin.get(INDEX).content.decode()
    assert "?o=4" in html
    assert list(admin.get(INDEX, {"o": "4"}).context["object_list"]) == newest[::-1]


@pytest.mark.parametrize(
    "probe",
    [
        {"mailing__created_by__password__startswith": "nothing"},
        {"contact__email__startswith": "nobody"},
        {"verdict__in": "machine"},
        {"pk__lt": "0"},
    ],
)
def test_no_address_asks_the_database_anything_of_its_own(admin, probe):
    """A reader of the log would learn what is stored anywhere, a letter at a time."""
    make_events(1)
    assert admin.get(INDEX, probe).context["result_count"] == 1
