from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import Mailing, MailingState
from wagtail_email_insights.sending import actions
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.tracking import ledger
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}


def address(name: str, pk: int, *args: str) -> str:
    return reverse(Email.snippet_viewset.get_url_name(name), args=[pk, *args])


@pytest.fixture
def news():
    return make_list("News")


@pytest.fixture
def sent(news):
    """An e-mail sent to ann, who may be known, and bob, who may not."""
    for name in ("ann", "bob"):
        subscribe(make_contact(f"{name}@example.org", agrees=name == "ann"), news)
    mailing = make_mailing(make_email(), news)
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    mailing.refresh_from_db()
    return mailing


def click(mailing: Mailing, *, known: bool) -> None:
    delivery = mailing.deliveries.get(identified=known)
    event = Event(
        kind=EventKind.CLICK,
        mailing=mailing,
        link=TrackedLink.objects.first(),
        contact=delivery.contact if known else None,
        copy=delivery.pk if known else -12345,
    )
    ledger.store([event])


def form_data(**changes) -> dict:
    data = {
        "title": "Hello",
        "subject": "Hello",
        "preheader": "",
        "body-count": "1",
        "body-0-deleted": "",
        "body-0-order": "0",
        "body-0-type": "raw_html",
        "body-0-id": "",
        "body-0-value": "<p>raw</p>",
    }
    return data | changes


def test_the_menu_leads_to_every_screen(admin_client):
    html = admin_client.get(reverse("wagtailadmin_home")).content.decode()
    for label in ("Emails", "Contacts", "lists", "Segments", "Consents", "Activity log"):
        assert label.lower() in html.lower()


def test_a_new_email_can_be_written_and_leads_on_to_sending(admin_client):
    data = form_data() | {"action-send": "action-send"}
    response = admin_client.post(reverse(Email.snippet_viewset.get_url_name("add")), data)
    email = Email.objects.get()
    assert response["Location"] == address("send", email.pk)
    assert email.latest_revision is not None


def test_raw_html_needs_its_permission(editor):
    client = editor("add_email", "change_email")
    response = client.post(reverse(Email.snippet_viewset.get_url_name("add")), form_data())
    assert b"You are not allowed to add or change raw HTML" in response.content
    assert not Email.objects.exists()


def test_raw_html_of_somebody_else_may_stay(editor):
    email = make_email(body=[("raw_html", "<p>raw</p>")])
    client = editor("add_email", "change_email")
    block_id = email.body[0].id
    url = address("edit", email.pk)
    assert client.post(url, form_data(**{"body-0-id": block_id})).status_code == 302
    changed = form_data(**{"body-0-id": block_id, "body-0-value": "<p>changed</p>"})
    assert client.post(url, changed).status_code == 200
    assert "changed" not in str(email.get_latest_revision_as_object().body)


def test_raw_html_cannot_be_hidden_in_a_draft_saved_by_autosave(editor):
    email = make_email()
    client = editor("add_email", "change_email")
    response = client.post(address("edit", email.pk), form_data(), headers=JSON)
    assert response.status_code == 400
    assert "raw" not in json.dumps(email.latest_revision.content["body"])


def test_the_editor_offers_sending_and_no_publishing(admin_client):
    html = admin_client.get(address("edit", make_email().pk)).content.decode()
    assert 'name="action-send"' in html
    assert 'name="action-publish"' not in html
    assert 'data-side-panel="statistics"' in html
    assert 'data-side-panel="activities"' in html
    assert 'data-side-panel="checks"' not in html


def test_autosave_gets_no_panels_of_ours(admin_client):
    email = make_email()
    data = form_data(**{"body-count": "0"})
    response = admin_client.post(address("edit", email.pk), data, headers=JSON)
    assert response.json()["success"]
    assert "statistics" not in response.json()["html"]


def test_a_sent_email_is_locked_and_says_so(admin_client, sent):
    url = address("edit", sent.email_id)
    html = admin_client.get(url).content.decode()
    assert "has been sent and cannot be edited" in html
    response = admin_client.post(url, form_data(title="Changed"))
    sent.email.refresh_from_db()
    assert response.status_code == 200
    assert sent.email.title == "June news"


def test_choosing_checking_and_sending(admin_client, news):
    subscribe(make_contact(), news)
    subscribe(make_contact(), news, status="pending")
    email = make_email()
    choose = {"recipient_lists": [news.pk], "when": "now"}
    review = admin_client.post(address("send", email.pk), choose, follow=True)
    html = review.content.decode()
    assert "<strong>1</strong> person will get this e-mail" in html
    assert "Subscription not confirmed" in html
    mailing = Mailing.objects.get()
    assert mailing.state == MailingState.DRAFT
    response = admin_client.post(address("mailing_act", mailing.pk, "send"), follow=True)
    mailing.refresh_from_db()
    assert mailing.state == MailingState.PREPARING
    assert "audience is being put together" in response.content.decode()
    assert ModelLogEntry.objects.filter(action="wagtail_email_insights.send").count() == 1


def test_choosing_nobody_is_an_error_that_loses_nothing(admin_client):
    response = admin_client.post(address("send", make_email().pk), {"when": "now"})
    assert response.status_code == 422
    assert b"Choose at least one list or segment" in response.content
    assert not Mailing.objects.exists()


@pytest.mark.parametrize("at", ["", "2020-01-01 10:00", "nonsense"])
def test_a_bad_time_is_an_error(admin_client, news, at):
    data = {"recipient_lists": [news.pk], "when": "later", "scheduled_at": at}
    assert admin_client.post(address("send", make_email().pk), data).status_code == 422


def test_scheduling_and_taking_it_back(admin_client, news):
    subscribe(make_contact(), news)
    email = make_email()
    data = {"recipient_lists": [news.pk], "when": "later", "scheduled_at": "2126-01-01 10:00"}
    admin_client.post(address("send", email.pk), data)
    mailing = Mailing.objects.get()
    page = admin_client.post(address("mailing_act", mailing.pk, "send"), follow=True)
    assert "is scheduled for" in page.content.decode()
    assert (
        "is scheduled and cannot be edited"
        in admin_client.get(address("edit", email.pk)).content.decode()
    )
    admin_client.post(address("mailing_act", mailing.pk, "cancel"))
    mailing.refresh_from_db()
    assert mailing.state == MailingState.DRAFT


def test_what_stands_in_the_way_is_said_before_sending(admin_client, news):
    subscribe(make_contact(), news)
    email = make_email(subject="", body=[])
    mailing = make_mailing(email, news)
    html = admin_client.get(address("mailing", mailing.pk)).content.decode()
    assert "This cannot be sent yet" in html
    admin_client.post(address("mailing_act", mailing.pk, "send"))
    mailing.refresh_from_db()
    assert mailing.state == MailingState.DRAFT


def test_no_get_starts_a_mailing(admin_client, news):
    subscribe(make_contact(), news)
    mailing = make_mailing(make_email(), news)
    for verb in ("send", "cancel", "pause", "resume"):
        admin_client.get(address("mailing_act", mailing.pk, verb))
    mailing.refresh_from_db()
    assert mailing.state == MailingState.DRAFT


def test_a_verb_pressed_twice_is_no_error(admin_client, sent):
    page = admin_client.post(address("mailing_act", sent.pk, "pause"), follow=True)
    assert "no longer possible" in page.content.decode()


def test_a_test_goes_to_the_addresses_entered(admin_client):
    email = make_email()
    data = {"addresses": "one@example.org; two@example.org"}
    page = admin_client.post(address("send_test", email.pk), data, follow=True)
    assert [message.to for message in mail.outbox] == [["one@example.org"], ["two@example.org"]]
    assert "on their way" in page.content.decode()


def test_a_test_to_nonsense_sends_nothing(admin_client):
    page = admin_client.post(address("send_test", make_email().pk), {"addresses": "x"}, follow=True)
    assert mail.outbox == []
    assert "valid email address" in page.content.decode()


def test_the_send_page_of_a_running_mailing_shows_its_progress(admin_client, news):
    subscribe(make_contact(), news)
    mailing = make_mailing(make_email(), news)
    actions.start(mailing)
    response = admin_client.get(address("send", mailing.email_id))
    assert response["Location"] == address("mailing", mailing.pk)


def test_statistics_count_both_and_activities_name_one(admin_client, sent):
    click(sent, known=True)
    click(sent, known=False)
    statistics = admin_client.get(address("statistics", sent.email_id)).content.decode()
    assert "2 of 2 delivered" in statistics
    assert "2 times in all" in statistics
    assert "1 of 2 copies (50.0 %)" in statistics
    for name in ("activities", "activities_fragment"):
        activities = admin_client.get(address(name, sent.email_id)).content.decode()
        assert "ann@example.org" in activities
        assert "https://example.com/a?x=1&amp;y=2" in activities
        assert "bob@example.org" not in activities


def test_hostile_names_and_links_are_escaped(admin_client, sent):
    contact = sent.deliveries.get(identified=True).contact
    contact.first_name = "<script>alert(1)</script>"
    contact.save()
    TrackedLink.objects.update(url='https://example.com/"><script>alert(2)</script>')
    click(sent, known=True)
    for name in ("activities", "statistics", "mailing"):
        pk = sent.pk if name == "mailing" else sent.email_id
        assert b"<script>alert(" not in admin_client.get(address(name, pk)).content


@pytest.mark.parametrize(
    ("name", "permission"),
    [
        ("statistics", "view_statistics"),
        ("statistics_fragment", "view_statistics"),
        ("activities", "view_activities"),
        ("activities_fragment", "view_activities"),
        ("send", "send_email"),
        ("mailing", "send_email"),
        ("mailing_progress", "send_email"),
    ],
)
def test_each_screen_needs_its_permission(editor, sent, name, permission):
    pk = sent.pk if name.startswith("mailing") else sent.email_id
    client = editor("change_email")
    assert client.get(address(name, pk)).status_code == 302
    assert editor("change_email", permission).get(address(name, pk)).status_code == 200


@pytest.mark.parametrize("verb", ["send", "pause", "resume", "cancel"])
def test_acting_needs_the_right_to_send(editor, news, verb):
    subscribe(make_contact(), news)
    mailing = make_mailing(make_email(), news)
    editor("change_email").post(address("mailing_act", mailing.pk, verb))
    mailing.refresh_from_db()
    assert mailing.state == MailingState.DRAFT


def test_panels_are_only_for_those_who_may_see_them(editor, sent):
    html = editor("change_email").get(address("edit", sent.email_id)).content.decode()
    assert 'data-side-panel="statistics"' not in html
    assert 'data-side-panel="activities"' not in html


def test_the_list_costs_the_same_for_many(admin_client, news, django_assert_max_num_queries):
    url = reverse(Email.snippet_viewset.get_url_name("list"))
    make_email()
    admin_client.get(url)
    with django_assert_max_num_queries(40) as few:
        admin_client.get(url)
    for _ in range(20):
        make_mailing(make_email(), news)
    with django_assert_max_num_queries(len(few)):
        admin_client.get(url)


def test_statistics_cost_the_same_for_many_events(admin_client, sent, django_assert_num_queries):
    url = address("statistics_fragment", sent.email_id)
    click(sent, known=True)
    admin_client.get(url)
    with django_assert_num_queries(48, exact=False) as few:
        admin_client.get(url)
    for _ in range(50):
        click(sent, known=False)
    with django_assert_num_queries(len(few)):
        admin_client.get(url)


def test_the_preview_shows_the_mail_without_tracking(admin_client):
    email = make_email()
    url = address("preview_on_edit", email.pk)
    data = form_data(subject="Hi", **{"body-0-type": "heading", "body-0-value-text": "Big news"})
    data["body-0-value-size"] = "h1"
    admin_client.post(url, data)
    html = admin_client.get(url, {"mode": ""}).content.decode()
    assert "Big news" in html
    assert "/email/c/" not in html
    assert "/email/o/" not in html


def test_uncertain_and_failed_copies_can_be_settled_by_hand(admin_client, sent):
    copies = sent.deliveries
    copies.filter(contact__email="ann@example.org").update(state="uncertain")
    copies.filter(contact__email="bob@example.org").update(state="failed")
    html = admin_client.get(address("mailing", sent.pk)).content.decode()
    assert "Count the uncertain as sent" in html
    assert "Try the failed again" in html
    admin_client.post(address("mailing_act", sent.pk, "uncertain_sent"))
    assert copies.get(contact__email="ann@example.org").state == "sent"
    admin_client.post(address("mailing_act", sent.pk, "failed_again"))
    assert copies.get(contact__email="bob@example.org").state == "queued"
    assert "bob@example.org" not in admin_client.get(address("mailing", sent.pk)).content.decode()


def test_a_mailing_that_nobody_works_on_says_so(admin_client, news):
    subscribe(make_contact(), news)
    mailing = make_mailing(make_email(), news)
    actions.start(mailing)
    Mailing.objects.update(started_at=timezone.now() - timedelta(minutes=20))
    html = admin_client.get(address("mailing", mailing.pk)).content.decode()
    assert "Is the queue running?" in html


def test_a_time_that_would_be_ignored_is_asked_about(admin_client, news):
    data = {"recipient_lists": [news.pk], "when": "now", "scheduled_at": "2126-01-01 10:00"}
    page = admin_client.post(address("send", make_email().pk), data)
    assert page.status_code == 422
    assert "You entered a time, but chose to send" in page.content.decode()


def test_a_cancelled_schedule_keeps_its_time_for_the_next_try(admin_client, news):
    subscribe(make_contact(), news)
    email = make_email()
    data = {"recipient_lists": [news.pk], "when": "later", "scheduled_at": "2126-01-01 10:00"}
    admin_client.post(address("send", email.pk), data)
    mailing = Mailing.objects.get()
    admin_client.post(address("mailing_act", mailing.pk, "send"))
    page = admin_client.post(address("mailing_act", mailing.pk, "cancel"), follow=True)
    assert "The schedule is cancelled" in page.content.decode()
    form = admin_client.get(address("send", email.pk)).context["form"]
    assert form["when"].value() == "later"
    assert form["scheduled_at"].value() is not None


def test_links_that_nobody_can_reach_are_pointed_out(admin_client, news, settings):
    settings.WAGTAILADMIN_BASE_URL = "http://localhost"
    subscribe(make_contact(), news)
    mailing = make_mailing(make_email(), news)
    html = admin_client.get(address("mailing", mailing.pk)).content.decode()
    assert "which readers cannot reach" in html
