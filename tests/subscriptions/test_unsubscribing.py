from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.core import mail
from django.test import Client

from tests import factories
from wagtail_email_insights import signals
from wagtail_email_insights.consents import actions as consent_actions
from wagtail_email_insights.consents.models import ConsentAction
from wagtail_email_insights.consents.queries import is_known
from wagtail_email_insights.contacts import actions as contact_actions
from wagtail_email_insights.contacts.models import (
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)
from wagtail_email_insights.subscriptions.departures import masked
from wagtail_email_insights.tracking.models import Event, LeavingReason

from .helpers import delivery_to, unsubscribe_token, url

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def contact():
    return factories.make_contact("ann@example.org")


@pytest.fixture
def news():
    return factories.make_list("News", goodbye_text="Farewell & thanks")


@pytest.fixture
def offers():
    return factories.make_list("Offers")


@pytest.fixture
def delivery(contact, news, offers):
    factories.subscribe(contact, news)
    factories.subscribe(contact, offers)
    return delivery_to(contact, news)


@pytest.fixture
def page_url(delivery):
    return url("unsubscribe", unsubscribe_token(delivery))


@pytest.fixture
def one_click_url(delivery):
    return url("unsubscribe_one_click", unsubscribe_token(delivery))


def standing(contact):
    rows = contact.subscriptions.values_list("recipient_list__name", "status")
    return {name: str(status) for name, status in rows}


@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("name", ["unsubscribe", "unsubscribe_one_click"])
def test_reading_changes_nothing(client, delivery, contact, method, name):
    getattr(client, method)(url(name, unsubscribe_token(delivery)))
    assert standing(contact) == {"News": "subscribed", "Offers": "subscribed"}
    assert not Suppression.objects.exists()


def test_page_names_the_lists_of_the_mailing_and_half_hides_the_address(client, page_url):
    page = client.get(page_url)
    assert "a•••@example.org" in page.text
    assert "ann@example.org" not in page.text
    assert "Only News" in page.text
    assert "Offers" not in page.text


def test_leaving_the_list_leaves_the_other_one_alone(client, page_url, contact):
    page = client.post(page_url, {"scope": "lists"})
    assert standing(contact) == {"News": "unsubscribed", "Offers": "subscribed"}
    assert "will no longer get <strong>News</strong>" in page.text
    assert "Farewell &amp; thanks" in page.text
    assert not Suppression.objects.exists()


def test_leaving_everything_suppresses_the_address(client, page_url, contact):
    page = client.post(page_url, {"scope": "everything"})
    assert standing(contact) == {"News": "unsubscribed", "Offers": "unsubscribed"}
    assert Suppression.objects.get().reason == SuppressionReason.UNSUBSCRIBED_ALL
    assert "no more e-mail from us" in page.text


def test_listeners_learn_which_mailing_it_was(client, page_url, delivery):
    heard = []

    def listen(sender, **told):
        heard.append(told)

    signals.contact_unsubscribed.connect(listen)
    client.post(page_url, {"scope": "lists"})
    signals.contact_unsubscribed.disconnect(listen)
    assert [told["mailing"] for told in heard] == [delivery.mailing]


@pytest.fixture
def heard():
    """What listeners are told when somebody unsubscribes."""
    told = []

    def listen(sender, **said):
        told.append(said)

    signals.contact_unsubscribed.connect(listen)
    yield told
    signals.contact_unsubscribed.disconnect(listen)


def test_page_asks_why_and_takes_no_answer_for_an_answer(client, page_url):
    page = BeautifulSoup(client.get(page_url).text, "html.parser")
    reasons = page.find_all("input", {"name": "why"})
    assert [reason["value"] for reason in reasons] == ["", *LeavingReason.values]
    assert [reason["value"] for reason in reasons if reason.has_attr("checked")] == [""]
    assert not any(reason.has_attr("required") for reason in reasons)


@pytest.mark.parametrize("scope", ["lists", "everything"])
@pytest.mark.parametrize("reason", LeavingReason.values)
def test_listeners_learn_why(client, page_url, heard, scope, reason):
    client.post(page_url, {"scope": scope, "why": reason})
    assert [told["why"] for told in heard] == [reason]


@pytest.mark.parametrize("why", [{}, {"why": ""}, {"why": "x" * 5000}, {"why": ["a", "other\0"]}])
def test_no_reason_or_nonsense_stops_nobody(client, page_url, contact, heard, why):
    page = client.post(page_url, {"scope": "lists", **why})
    assert "will no longer get" in page.text
    assert standing(contact)["News"] == "unsubscribed"
    assert [told["why"] for told in heard] == [""]


def test_the_reason_is_kept_with_the_event(client, page_url):
    client.post(page_url, {"scope": "lists", "why": "not_relevant"})
    assert Event.objects.get().why == LeavingReason.NOT_RELEVANT


def test_one_click_gives_no_reason(client, one_click_url, heard):
    client.post(one_click_url, ONE_CLICK | {"why": "other"})
    assert [told["why"] for told in heard] == [""]


def test_leaving_everything_is_asked_why_too(client, contact, heard):
    path = url("unsubscribe", unsubscribe_token(delivery_to(contact)))
    assert 'name="why"' in client.get(path).text
    client.post(path, {"scope": "everything", "why": "too_often"})
    assert [told["why"] for told in heard] == ["too_often"]


@pytest.mark.parametrize("scope", ["lists", "everything"])
def test_unsubscribing_twice_is_answered_kindly(client, page_url, scope):
    client.post(page_url, {"scope": scope})
    page = client.post(page_url, {"scope": scope})
    assert page.status_code == 200
    assert "had been taken off before" in page.text


def test_page_afterwards_offers_what_is_left_to_leave(client, page_url):
    client.post(page_url, {"scope": "lists"})
    assert "is not on <strong>News</strong> any more" in client.get(page_url).text
    client.post(page_url, {"scope": "everything"})
    assert "had been taken off before" in client.get(page_url).text


@pytest.mark.parametrize("data", [{}, {"scope": "x"}])
def test_form_without_a_choice_is_shown_again(client, page_url, contact, data):
    page = client.post(page_url, data)
    assert "Only News" in page.text
    assert standing(contact) == {"News": "subscribed", "Offers": "subscribed"}


def test_mailing_without_lists_can_only_be_left_with_everything(client, contact, offers):
    factories.subscribe(contact, offers)
    path = url("unsubscribe", unsubscribe_token(delivery_to(contact)))
    assert 'type="radio" name="scope"' not in client.get(path).text
    client.post(path, {"scope": "lists"})
    assert standing(contact) == {"Offers": "unsubscribed"}
    assert Suppression.objects.exists()


def test_lists_the_contact_is_not_on_are_not_named(client, contact, news, offers):
    factories.subscribe(contact, news)
    factories.subscribe(contact, offers, SubscriptionStatus.UNSUBSCRIBED)
    path = url("unsubscribe", unsubscribe_token(delivery_to(contact, news, offers)))
    page = client.get(path)
    assert "Only News<" in page.text
    assert "Offers" not in page.text


@pytest.mark.parametrize("method", ["get", "post"])
def test_erased_contact_is_told_that_nothing_is_stored(client, page_url, contact, method):
    contact.delete()
    page = getattr(client, method)(page_url)
    assert page.status_code == 200
    assert "Nothing more is stored" in page.text


def test_erased_mailing_is_answered_too(client, page_url, delivery):
    delivery.mailing.delete()
    assert "Nothing more is stored" in client.get(page_url).text


class TestGoodbyeMail:
    @pytest.fixture
    def news(self):
        return factories.make_list("News", send_goodbye_mail=True, goodbye_text="Farewell")

    def test_is_sent_once_by_lists_that_want_it(self, client, page_url):
        client.post(page_url, {"scope": "everything"})
        client.post(page_url, {"scope": "everything"})
        (message,) = mail.outbox
        assert message.to == ["ann@example.org"]
        assert "Farewell" in message.body
        assert message.extra_headers["Auto-Submitted"] == "auto-generated"

    def test_is_not_sent_after_a_complaint(self, client, page_url):
        contact_actions.suppress("ann@example.org", SuppressionReason.COMPLAINT)
        client.post(page_url, {"scope": "lists"})
        assert not mail.outbox

    def test_is_not_sent_for_another_list(self, client, contact, offers):
        factories.subscribe(contact, offers)
        path = url("unsubscribe", unsubscribe_token(delivery_to(contact, offers)))
        client.post(path, {"scope": "lists"})
        assert not mail.outbox


class TestOneClick:
    def test_post_of_a_mail_service_unsubscribes_without_cookie_or_token(
        self, one_click_url, contact
    ):
        page = Client(enforce_csrf_checks=True).post(one_click_url, ONE_CLICK)
        assert page.status_code == 200
        assert page["Content-Type"] == "text/plain; charset=utf-8"
        assert standing(contact) == {"News": "unsubscribed", "Offers": "subscribed"}

    def test_form_encoded_body_is_accepted(self, client, one_click_url, contact):
        client.post(
            one_click_url,
            "List-Unsubscribe=One-Click",
            content_type="application/x-www-form-urlencoded",
        )
        assert standing(contact)["News"] == "unsubscribed"

    @pytest.mark.parametrize("data", [{}, {"List-Unsubscribe": "x"}, {"scope": "everything"}])
    def test_other_bodies_are_refused(self, client, one_click_url, contact, data):
        assert client.post(one_click_url, data).status_code == 400
        assert standing(contact)["News"] == "subscribed"

    def test_repeating_is_harmless(self, client, one_click_url):
        for _ in range(2):
            assert client.post(one_click_url, ONE_CLICK).status_code == 200

    def test_reading_leads_to_the_page(self, client, one_click_url, page_url):
        page = client.get(one_click_url)
        assert (page.status_code, page.url) == (302, page_url)

    def test_mailing_without_lists_leaves_everything(self, client, contact, offers):
        factories.subscribe(contact, offers)
        path = url("unsubscribe_one_click", unsubscribe_token(delivery_to(contact)))
        client.post(path, ONE_CLICK)
        assert Suppression.objects.exists()


@pytest.mark.parametrize(
    ("email", "expected"),
    [("ann@example.org", "a•••@example.org"), ("a@example.org", "a•••@example.org")],
)
def test_masked_address_does_not_give_its_length_away(email, expected):
    assert masked(email) == expected


class TestTakingTrackingBack:
    def test_whoever_agreed_can_take_it_back_and_stays_subscribed(self, client, delivery, page_url):
        consent_actions.agree(delivery.contact, factories.tracking_wording())
        assert "Take it back" in client.get(page_url).content.decode()
        Event.objects.create(
            kind="click", contact=delivery.contact, mailing=delivery.mailing, copy=delivery.pk
        )
        response = client.post(page_url, {"scope": "tracking"})
        assert "Taken back" in response.content.decode()
        assert not is_known(delivery.contact.pk)
        assert not Event.objects.filter(contact=delivery.contact).exists()
        assert delivery.contact.subscriptions.filter(status="subscribed").exists()

    def test_do_not_follow_does_not_keep_it_from_being_recorded(self, client, delivery, page_url):
        contact = delivery.contact
        consent_actions.agree(contact, factories.tracking_wording())
        contact.do_not_track = True
        contact.save()
        assert "Take it back" in client.get(page_url).content.decode()
        assert "Taken back" in client.post(page_url, {"scope": "tracking"}).content.decode()
        assert contact.consent_records.first().action == ConsentAction.WITHDRAW
        contact.do_not_track = False
        contact.save()
        assert not is_known(contact.pk)

    def test_whoever_never_agreed_is_not_offered_it(self, client, delivery, page_url):
        assert "Take it back" not in client.get(page_url).content.decode()
        client.post(page_url, {"scope": "tracking"})
        assert not delivery.contact.consent_records.exists()
