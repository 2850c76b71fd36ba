from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry, Page, Site

from tests.factories import make_contact, make_email, make_list, subscribe
from wagtail_email_insights.digests.models import Digest
from wagtail_email_insights.mailings.models import Mailing, MailingState

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"email_digests:{name}", args=args)


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def news():
    news = make_list("News")
    subscribe(make_contact("ann@example.org"), news)
    return news


@pytest.fixture
def template():
    return make_email("Template", body=[("newest_pages", {"number": 5})])


@pytest.fixture
def digest(news, template):
    digest = Digest.objects.create(
        name="Weekly",
        template=template,
        site=Site.objects.get(is_default_site=True),
        next_run_at=timezone.now() + timedelta(days=2),
        pages_since=timezone.now() - timedelta(days=1),
    )
    digest.recipient_lists.add(news)
    return digest


@pytest.fixture
def page():
    page = Page(title="Roses", slug="roses", first_published_at=timezone.now())
    Site.objects.get(is_default_site=True).root_page.add_child(instance=page)
    return page


def form_data(template, news, **changes) -> dict:
    data = {
        "name": "Monthly",
        "template": template.pk,
        "site": Site.objects.get(is_default_site=True).pk,
        "below_page": "",
        "recipient_lists": [news.pk],
        "rhythm": "monthly",
        "next_run_at": "2126-01-31 08:00",
        "pages_since": "2026-01-01 00:00",
        "max_pages": "10",
        "is_active": "on",
    }
    return data | changes


def test_a_digest_is_made(admin_client, template, news, page):
    data = form_data(template, news, below_page=page.pk)
    response = admin_client.post(url("add"), data)
    assert response.status_code == 302
    digest = Digest.objects.get()
    assert (digest.rhythm, digest.below_page) == ("monthly", page.pk)
    html = text_of(admin_client.get(url("edit", digest.pk)))
    assert "Roses" in html
    assert "Run now" in html


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"next_run_at": "2020-01-01 08:00"}, "Choose a time in the future"),
        ({"max_pages": "0"}, "At least one page"),
        ({"recipient_lists": []}, "This field is required"),
        ({"below_page": "999"}, "Select a valid choice"),
    ],
)
def test_mistakes_are_said(admin_client, template, news, changes, message):
    response = admin_client.post(url("add"), form_data(template, news, **changes))
    assert message in response.content.decode()
    assert not Digest.objects.exists()


def test_a_template_needs_a_place_for_the_pages(admin_client, news):
    response = admin_client.post(url("add"), form_data(make_email(), news))
    assert "has no “Newest pages” block" in response.content.decode()


def test_the_list_shows_rhythm_next_time_and_result(admin_client, digest):
    Digest.objects.update(last_result="Nothing sent: no new pages.")
    html = text_of(admin_client.get(url("index")))
    assert "Every week" in html
    assert "Nothing sent: no new pages." in html


def test_the_list_costs_the_same_for_many(queries_of, digest, template):
    few = queries_of(url("index"))
    for number in range(10):
        Digest.objects.create(
            name=f"D{number}",
            template=template,
            site=digest.site,
            next_run_at=timezone.now(),
            pages_since=timezone.now(),
        )
    assert queries_of(url("index")) == few


def test_running_by_hand_asks_first(admin_client, digest, page):
    before = Digest.objects.values().get()
    html = text_of(admin_client.get(url("run", digest.pk)))
    assert "Roses" in html
    assert "Yes, run it now" in html
    assert Digest.objects.values().get() == before
    assert not Mailing.objects.exists()


def test_running_by_hand_sends_and_leads_to_the_mailing(admin_client, digest, page):
    planned = digest.next_run_at
    html = text_of(admin_client.post(url("run", digest.pk), follow=True))
    mailing = Mailing.objects.get()
    assert mailing.state == MailingState.PREPARING
    assert "Sent with 1 new page." in html
    digest.refresh_from_db()
    assert digest.next_run_at == planned
    entry = ModelLogEntry.objects.get(action="wagtail_email_insights.send")
    assert entry.data == {"mailing": mailing.pk, "digest": digest.pk}


def test_running_by_hand_with_nothing_new_says_so(admin_client, digest):
    assert "No page is new" in text_of(admin_client.get(url("run", digest.pk)))
    html = text_of(admin_client.post(url("run", digest.pk), follow=True))
    assert "Nothing sent: no new pages." in html
    assert not Mailing.objects.exists()


@pytest.mark.parametrize("name", ["index", "add", "edit", "delete", "run"])
def test_every_screen_needs_the_right_to_send(editor, digest, name):
    args = [] if name in ("index", "add") else [digest.pk]
    refused = editor("add_digest", "change_digest", "delete_digest", "change_email")
    assert refused.get(url(name, *args)).status_code == 302
    assert editor("send_email").get(url(name, *args)).status_code == 200


def test_running_needs_the_right_to_send(editor, digest, page):
    editor("change_digest").post(url("run", digest.pk))
    assert not Mailing.objects.exists()


def test_the_group_editor_offers_no_rights_that_mean_nothing(admin_client):
    html = admin_client.get(reverse("wagtailusers_groups:add")).content.decode().lower()
    assert "recurring digest" not in html
