from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from tests import factories
from wagtail_email_insights import tokens
from wagtail_email_insights.consents import actions as consent_actions
from wagtail_email_insights.consents.models import ConsentRecord
from wagtail_email_insights.contacts import actions as contact_actions
from wagtail_email_insights.contacts.models import SubscriptionStatus, SuppressionReason
from wagtail_email_insights.site_settings.models import EmailSettings
from wagtail_email_insights.subscriptions import confirmations

from .helpers import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription():
    contact = factories.make_contact("ann@example.org")
    news = factories.make_list("Our news")
    return factories.subscribe(contact, news, SubscriptionStatus.PENDING)


@pytest.fixture
def wording():
    return factories.tracking_wording()


def link(subscription, version=None, *, days_ago=0):
    today = int(timezone.now().timestamp() // 86_400)
    token = tokens.make(
        tokens.Kind.CONFIRM, subscription.pk, version.pk if version else 0, today - days_ago
    )
    return url("confirm", token)


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_reading_the_page_changes_nothing(client, subscription, wording, method):
    before = subscription.changed_at
    getattr(client, method)(link(subscription, wording))
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.PENDING
    assert subscription.changed_at == before
    assert not ConsentRecord.objects.exists()


def test_page_shows_what_will_be_confirmed(client, subscription, wording):
    page = client.get(link(subscription, wording))
    assert "Our news" in page.text
    assert wording.short_text in page.text
    plain = client.get(link(subscription))
    assert wording.short_text not in plain.text


def test_button_confirms_list_and_consent(client, subscription, wording):
    subscription.source = "form: /about/"
    subscription.save()
    page = client.post(link(subscription, wording))
    assert "Thank you" in page.text
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.SUBSCRIBED
    assert subscription.confirmed_at
    record = ConsentRecord.objects.get()
    assert (record.contact, record.version) == (subscription.contact, wording)
    assert record.source == "confirmation mail, form: /about/"


def test_thank_you_text_is_shown_escaped(client, subscription):
    subscription.recipient_list.thank_you_text = "Great & <b>good</b>"
    subscription.recipient_list.save()
    page = client.post(link(subscription))
    assert "Great &amp; &lt;b&gt;good&lt;/b&gt;" in page.text


def test_pressing_twice_records_once(client, subscription, wording):
    subscription.recipient_list.send_welcome_mail = True
    subscription.recipient_list.save()
    for _ in range(2):
        assert client.post(link(subscription, wording)).status_code == 200
    assert ConsentRecord.objects.count() == 1
    assert len(mail.outbox) == 1
    assert "Thank you" in client.get(link(subscription, wording)).text


def test_consent_withdrawn_meanwhile_is_asked_again(client, subscription, wording):
    client.post(link(subscription, wording))
    consent_actions.withdraw(subscription.contact, wording.consent)
    page = client.get(link(subscription, wording))
    assert "One thing is left to confirm" in page.text


def test_another_wording_is_another_agreement(client, subscription, wording):
    newer = consent_actions.publish_wording(wording.consent, language="en", short_text="Newer")
    client.post(link(subscription, wording))
    client.post(link(subscription, newer))
    assert [record.version for record in ConsentRecord.objects.order_by("id")] == [wording, newer]


class TestWelcome:
    @pytest.fixture
    def subscription(self, subscription):
        subscription.recipient_list.send_welcome_mail = True
        subscription.recipient_list.save()
        return subscription

    def test_is_sent_only_by_lists_that_want_it(self, client, subscription):
        client.post(link(subscription))
        (message,) = mail.outbox
        assert message.subject == "Welcome: Our news"
        assert message.extra_headers["Auto-Submitted"] == "auto-generated"

    def test_is_not_sent_to_a_blocked_address(self, client, subscription):
        contact_actions.suppress("ann@example.org", SuppressionReason.HARD_BOUNCE)
        client.post(link(subscription))
        assert not mail.outbox

    def test_failing_does_not_undo_the_confirmation(self, client, subscription, monkeypatch):
        def refuse(*_args):
            raise smtplib.SMTPServerDisconnected("away")

        backend = "django.core.mail.backends.locmem.EmailBackend.send_messages"
        monkeypatch.setattr(backend, refuse)
        assert client.post(link(subscription)).status_code == 200
        subscription.refresh_from_db()
        assert subscription.status == SubscriptionStatus.SUBSCRIBED


def test_link_works_for_thirty_days(client, subscription):
    assert client.get(link(subscription, days_ago=30)).status_code == 200
    for method in (client.get, client.post):
        page = method(link(subscription, days_ago=31))
        assert page.status_code == 410
        assert "expired" in page.text
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.PENDING


@pytest.mark.parametrize("method", ["get", "post"])
def test_erased_contact_is_told_that_nothing_is_stored(client, subscription, method):
    path = link(subscription)
    subscription.contact.delete()
    page = getattr(client, method)(path)
    assert page.status_code == 200
    assert "Nothing more is stored" in page.text


def test_link_is_absolute_below_the_address_in_the_settings(subscription, rf):
    from wagtail.models import Site

    site = Site.objects.get()
    EmailSettings.objects.create(site=site, base_url="https://mail.example.org/")
    address = confirmations.Confirmation(subscription).url(site)
    assert address.startswith("https://mail.example.org/email/confirm/")
    assert confirmations.find(address.split("/")[-2]).subscription == subscription


def test_mail_comes_from_the_site(client, subscription):
    from wagtail.models import Site

    site = Site.objects.get()
    EmailSettings.objects.create(site=site, from_name="Café", from_email="cafe@example.org")
    subscription.recipient_list.send_welcome_mail = True
    subscription.recipient_list.save()
    client.post(link(subscription))
    assert "cafe@example.org" in mail.outbox[0].from_email


def test_links_do_not_outlive_their_units():
    assert timedelta(seconds=confirmations.SECONDS_A_DAY) == timedelta(days=1)
