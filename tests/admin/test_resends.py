from __future__ import annotations

import pytest
from django.core import mail
from django.urls import reverse

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import Mailing, MailingState
from wagtail_email_insights.sending import actions, resends
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.tracking.models import Event, EventKind

pytestmark = pytest.mark.django_db


def address(name: str, pk: int, *args: str) -> str:
    return reverse(Email.snippet_viewset.get_url_name(name), args=[pk, *args])


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def sent(mailing: Mailing) -> Mailing:
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    mailing.refresh_from_db()
    return mailing


@pytest.fixture
def original():
    """Sent to three who may be known, one of whom clicked, and one who may not."""
    news = make_list("News")
    for name in ("ann", "ben", "cleo", "dan"):
        subscribe(make_contact(f"{name}@example.org", agrees=name != "dan"), news)
    mailing = sent(make_mailing(make_email(), news))
    delivery = mailing.deliveries.get(contact__email="ann@example.org")
    Event.objects.create(
        kind=EventKind.CLICK, mailing=mailing, contact=delivery.contact, copy=delivery.pk
    )
    mail.outbox.clear()
    return mailing


def test_the_button_is_on_the_page_of_a_sent_mailing_only(admin_client, original):
    url = address("mailing_act", original.pk, "resend")
    assert url in text_of(admin_client.get(address("mailing", original.pk)))
    Mailing.objects.update(state=MailingState.CANCELLED)
    assert url not in text_of(admin_client.get(address("mailing", original.pk)))
    assert admin_client.get(url).status_code == 302


def test_the_page_says_how_many_and_who_is_left_out(admin_client, original):
    html = text_of(admin_client.get(address("mailing_act", original.pk, "resend")))
    assert "<strong>2</strong> readers are known not to have clicked" in html
    assert 'we may not know whether they clicked</th><td class="wei-number">1</td>' in html
    assert "opens say little" in html
    assert 'value="June news"' in html


def test_looking_changes_nothing(admin_client, original):
    admin_client.get(address("mailing_act", original.pk, "resend"))
    assert Mailing.objects.count() == 1


def test_it_leads_to_the_review_and_is_sent_from_there(admin_client, original):
    data = {"subject": "Did you see this?"}
    url = address("mailing_act", original.pk, "resend")
    html = text_of(admin_client.post(url, data, follow=True))
    assert "<strong>2</strong> people will get this e-mail" in html
    assert "<dd>Did you see this?</dd>" in html
    assert "This is a resend" in html
    assert "Test variants" not in html
    resend = original.resends.get()
    admin_client.post(address("mailing_act", resend.pk, "send"))
    resend.refresh_from_db()
    work_on(resend, seconds=30)
    assert sorted(message.to[0] for message in mail.outbox) == [
        "ben@example.org",
        "cleo@example.org",
    ]
    page = text_of(admin_client.get(address("mailing", resend.pk)))
    assert "Resend to those" not in page


@pytest.mark.parametrize("subject", ["", "Hello {{ nobody }}", "x" * 201])
def test_a_bad_subject_is_an_error(admin_client, original, subject):
    url = address("mailing_act", original.pk, "resend")
    assert admin_client.post(url, {"subject": subject}).status_code == 422
    assert Mailing.objects.count() == 1


def test_the_draft_keeps_its_subject_for_the_next_visit(admin_client, original):
    url = address("mailing_act", original.pk, "resend")
    admin_client.post(url, {"subject": "Second try"})
    assert 'value="Second try"' in text_of(admin_client.get(url))


def test_a_resend_under_way_is_shown_instead(admin_client, original):
    resend = resends.draft_resend(original, subject="Again")
    actions.start(resend)
    url = address("mailing_act", original.pk, "resend")
    assert admin_client.get(url)["Location"] == address("mailing", resend.pk)
    page = admin_client.post(url, {"subject": "Changed"}, follow=True)
    assert "cannot be resent" in text_of(page)


def test_sending_to_more_people_does_not_pick_up_the_draft_of_a_resend(admin_client, original):
    resend = resends.draft_resend(original, subject="Again")
    data = {"recipient_lists": [original.recipient_lists.get().pk], "when": "now"}
    admin_client.post(address("send", original.email_id), data)
    assert Mailing.objects.count() == 3
    resend.refresh_from_db()
    assert resend.resend_of == original


def test_the_right_to_send_is_needed(editor, original):
    client = editor("change_email", "view_statistics")
    url = address("mailing_act", original.pk, "resend")
    assert client.get(url).status_code == 302
    client.post(url, {"subject": "Again"})
    assert Mailing.objects.count() == 1
    assert editor("send_email").get(url).status_code == 200


def test_the_page_costs_the_same_for_many(queries_of, original):
    url = address("mailing_act", original.pk, "resend")
    few = queries_of(url)
    for _ in range(20):
        original.deliveries.create(contact=make_contact(), state="sent", identified=True)
    assert queries_of(url) == few
