from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import make_contact, make_email, make_mailing
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import MailingState
from wagtail_email_insights.tracking.models import Event, EventKind

pytestmark = pytest.mark.django_db
NOTE = "Why do the statistics show more?"


def address(name: str, email: Email) -> str:
    return reverse(Email.snippet_viewset.get_url_name(name), args=[email.pk])


@pytest.fixture
def sent() -> Email:
    mailing = make_mailing(make_email(), state=MailingState.SENT)
    mailing.started_at = mailing.email.created_at
    mailing.save()
    for _ in range(3):
        Event.objects.create(kind=EventKind.CLICK, contact=make_contact(), mailing=mailing)
    return mailing.email


def counts_asked(client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return sum("COUNT(" in query["sql"] for query in captured)


def test_refreshing_the_feed_counts_nothing(admin, sent):
    url = address("activities_fragment", sent)
    assert counts_asked(admin, url) == 0
    assert NOTE not in admin.get(url).content.decode()


def test_the_page_says_once_why_there_are_fewer(admin, sent):
    html = admin.get(address("activities", sent)).content.decode()
    refreshed, _end, rest = html.partition(NOTE)
    assert html.count(NOTE) == 1
    # Below the part that is fetched again and again, not in it.
    assert refreshed.count("<div") - refreshed.count("</div") == rest.count("</div") - rest.count(
        "<div"
    )
    assert counts_asked(admin, address("activities", sent)) == 2
    assert NOTE not in admin.get(address("activities", sent), {"kind": "click"}).content.decode()


def test_the_panel_fetches_the_note_once(admin, sent):
    url = address("activities_coverage", sent)
    assert url in admin.get(address("edit", sent)).content.decode()
    html = admin.get(url).content.decode()
    assert NOTE in html
    # What makes the script stop asking.
    assert "data-wei-done" in html


def test_the_note_needs_the_permission_too(editor, sent):
    url = address("activities_coverage", sent)
    assert editor("change_email", "view_statistics").get(url).status_code == 302
    assert editor("view_activities").get(url).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"q": "\0"},
        {"q": "ann\0@"},
        {"after": "2024-01-01T00:00~5"},
        {"after": "0001-01-01T00:00:00+14:00~5"},
        {"after": "2024-01-01T00:00:00+00:00~" + "9" * 30},
    ],
)
def test_nonsense_in_the_address_is_no_error(admin, sent, query):
    response = admin.get(address("activities", sent), query)
    assert response.status_code == 200
    assert "\0" not in response.context["search"]
