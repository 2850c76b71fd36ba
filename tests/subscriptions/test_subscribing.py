from __future__ import annotations

import smtplib
import time

import pytest
from django.core import mail
from django.test import override_settings
from django.utils import translation

from tests import factories
from wagtail_email_insights.consents import actions as consent_actions
from wagtail_email_insights.consents.models import Consent, ConsentRecord
from wagtail_email_insights.contacts import actions as contact_actions
from wagtail_email_insights.contacts.models import (
    Contact,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)
from wagtail_email_insights.tracking.models import Event, EventKind

from .helpers import filled_in, link_in, send_form, stamp, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def news():
    return factories.make_list(slug="news")


@pytest.fixture
def broken_mail(monkeypatch):
    def refuse(*_args):
        raise smtplib.SMTPServerDisconnected("away")

    backend = "django.core.mail.backends.locmem.EmailBackend.send_messages"
    monkeypatch.setattr(backend, refuse)


def test_form_page_shows_the_list_and_an_unticked_consent(client, news):
    news.description = "Once a month."
    news.save()
    wording = factories.tracking_wording()
    page = client.get(url("subscribe", "news"))
    assert page.status_code == 200
    assert "Once a month." in page.text
    assert wording.short_text in page.text
    assert f'name="wording" value="{wording.pk}"' in page.text
    assert "checked" not in page.text
    assert 'type="email"' in page.text
    assert 'autocomplete="email"' in page.text


def test_unknown_list_is_not_found(client):
    assert client.get(url("subscribe", "nothing")).status_code == 404


def test_form_leads_to_a_pending_subscription_and_a_mail(client, news):
    page = send_form(client, news, email=" Ann@Example.org ", first_name="Ann")
    assert page.status_code == 302
    assert page.url == url("subscribe_done", "news")
    subscription = Subscription.objects.get()
    assert subscription.status == SubscriptionStatus.PENDING
    assert subscription.contact.email == "ann@example.org"
    assert subscription.contact.first_name == "Ann"
    assert subscription.contact.language == "en"
    (message,) = mail.outbox
    assert message.to == ["ann@example.org"]
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "Ann" not in message.body
    assert message.alternatives[0].mimetype == "text/html"
    assert link_in(message) in message.alternatives[0].content
    assert "Check your mail" in client.get(page.url).text


def test_contact_speaks_the_language_of_the_page(client, news):
    with translation.override("de"):
        send_form(client, news)
    assert Contact.objects.get().language == "de"


def test_source_is_the_path_of_the_page_that_carried_the_form(client, news):
    send_form(client, news, {"headers": {"referer": "http://testserver/about/us/?secret=1"}})
    assert Subscription.objects.get().source == "form: /about/us/"


@pytest.mark.parametrize(
    "referer",
    ["", "https://elsewhere.example/x/", "http://[broken", "http://testserver", "javascript:x"],
)
def test_source_of_a_foreign_or_broken_referer_is_not_kept(client, news, referer):
    send_form(client, news, {"headers": {"referer": referer}})
    assert Subscription.objects.get().source == "form"


def test_source_is_cut_to_its_column(client, news):
    send_form(client, news, {"headers": {"referer": f"http://testserver/{'x' * 300}/"}})
    assert len(Subscription.objects.get().source) == 120


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ann",
        "ann@",
        "ann@example.org\r\nBcc: all@example.org",
        "ann@example.org\nx",
        '"a\tb"@example.org',
        f"{'a' * 250}@example.org",
        "ann@example.org, bob@example.org",
    ],
)
def test_bad_address_is_refused_and_values_are_kept(client, news, email):
    wording = factories.tracking_wording()
    page = send_form(
        client, news, email=email, first_name="Anneli", agrees="on", wording=wording.pk
    )
    assert page.status_code == 200
    assert 'aria-invalid="true"' in page.text
    assert "_error" in page.text.split('name="email"')[1].split(">")[0]
    assert 'value="Anneli"' in page.text
    assert "checked" in page.text
    assert not Contact.objects.exists()
    assert not mail.outbox


def test_line_break_in_a_name_is_refused_but_any_script_is_welcome(client, news):
    assert send_form(client, news, first_name="Ann\r\nBcc: x@example.org").status_code == 200
    assert not Contact.objects.exists()
    assert send_form(client, news, first_name="نیلوفر‌ها").status_code == 302


def test_page_says_the_same_whoever_the_address_belongs_to(client, news):
    known = factories.make_contact("known@example.org")
    factories.subscribe(known, news)
    contact_actions.suppress("blocked@example.org", SuppressionReason.COMPLAINT)
    pages = [
        send_form(client, news, email=f"{name}@example.org") for name in ("new", "known", "blocked")
    ]
    assert {(page.status_code, page.url, page.content) for page in pages} == {
        (302, url("subscribe_done", "news"), b"")
    }


def test_subscribed_address_is_told_so_without_a_link(client, news):
    factories.subscribe(factories.make_contact("ann@example.org"), news)
    send_form(client, news)
    (message,) = mail.outbox
    assert "You are on that list" in message.body
    assert "http" not in message.body
    assert Subscription.objects.get().status == SubscriptionStatus.SUBSCRIBED


def test_subscribed_address_gets_a_link_for_a_newly_ticked_consent(client, news):
    wording = factories.tracking_wording()
    contact = factories.make_contact("ann@example.org")
    factories.subscribe(contact, news)
    send_form(client, news, agrees="on", wording=wording.pk)
    assert not ConsentRecord.objects.exists()
    path = link_in(mail.outbox[0])
    assert "One thing is left to confirm" in client.get(path).text
    client.post(path)
    assert ConsentRecord.objects.get().contact == contact


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint", "manual"])
def test_blocked_address_gets_no_mail_and_is_not_stored(client, news, reason):
    contact_actions.suppress("ann@example.org", SuppressionReason(reason))
    assert send_form(client, news).status_code == 302
    assert not mail.outbox
    assert not Contact.objects.exists()


def test_who_left_everything_may_ask_again(client, news):
    contact_actions.suppress("ann@example.org", SuppressionReason.UNSUBSCRIBED_ALL)
    send_form(client, news)
    assert Suppression.objects.exists()
    client.post(link_in(mail.outbox[0]))
    assert not Suppression.objects.exists()
    assert Subscription.objects.get().status == SubscriptionStatus.SUBSCRIBED


def test_who_left_stays_away_until_they_confirm(client, news):
    """Anybody can type anybody's address."""
    left = factories.subscribe(
        factories.make_contact("ann@example.org"), news, SubscriptionStatus.UNSUBSCRIBED
    )
    send_form(client, news)
    assert Subscription.objects.values().get(pk=left.pk) == {
        field: value for field, value in vars(left).items() if not field.startswith("_")
    }
    path = link_in(mail.outbox[0])
    assert client.get(path).status_code == 200
    client.post(path)
    assert Subscription.objects.get().status == SubscriptionStatus.SUBSCRIBED


def test_asking_is_noted_only_as_often_as_a_mail_goes_out(client, news):
    for _ in range(6):
        send_form(client, news)
    assert len(mail.outbox) == 3
    assert Event.objects.filter(kind=EventKind.SUBSCRIBE).count() == 3


@pytest.mark.usefixtures("broken_mail")
def test_asking_is_not_noted_when_the_mail_could_not_be_sent(client, news):
    send_form(client, news)
    assert not Event.objects.exists()


class TestWithoutDoubleOptIn:
    @pytest.fixture
    def news(self):
        return factories.make_list(slug="news", double_opt_in=False)

    def test_newcomer_is_subscribed_at_once(self, client, news):
        page = send_form(client, news)
        assert Subscription.objects.get().status == SubscriptionStatus.SUBSCRIBED
        assert not mail.outbox
        kinds = Event.objects.order_by("pk").values_list("kind", flat=True)
        assert list(kinds) == [EventKind.SUBSCRIBE, EventKind.CONFIRM]
        assert "noted your subscription" in client.get(page.url).text

    def test_ticked_consent_still_needs_the_owner_of_the_address(self, client, news):
        wording = factories.tracking_wording()
        send_form(client, news, agrees="on", wording=wording.pk)
        assert not ConsentRecord.objects.exists()
        client.post(link_in(mail.outbox[0]))
        assert ConsentRecord.objects.get().version == wording

    def test_who_left_the_list_must_confirm_however_often_the_form_is_sent(self, client, news):
        contact = factories.make_contact("ann@example.org")
        factories.subscribe(contact, news, SubscriptionStatus.UNSUBSCRIBED)
        send_form(client, news)
        send_form(client, news)
        assert Subscription.objects.get().status == SubscriptionStatus.UNSUBSCRIBED
        client.post(link_in(mail.outbox[0]))
        assert Subscription.objects.get().status == SubscriptionStatus.SUBSCRIBED

    def test_who_left_everything_is_not_brought_back_by_a_stranger(self, client, news):
        contact_actions.suppress("ann@example.org", SuppressionReason.UNSUBSCRIBED_ALL)
        send_form(client, news)
        send_form(client, news)
        assert Suppression.objects.exists()
        assert Subscription.objects.get().status == SubscriptionStatus.PENDING


class TestConsentWording:
    def test_the_wording_shown_is_recorded_though_a_newer_one_was_published(self, client, news):
        shown = factories.tracking_wording()
        consent_actions.publish_wording(shown.consent, language="en", short_text="Newer words")
        send_form(client, news, agrees="on", wording=shown.pk)
        client.post(link_in(mail.outbox[0]))
        record = ConsentRecord.objects.get()
        assert record.version == shown
        assert record.source == "confirmation mail, form"

    def test_form_with_an_error_goes_on_showing_the_same_wording(self, client, news):
        shown = factories.tracking_wording()
        consent_actions.publish_wording(shown.consent, language="en", short_text="Newer words")
        page = send_form(client, news, email="wrong", agrees="on", wording=shown.pk)
        assert shown.short_text in page.text
        assert f'name="wording" value="{shown.pk}"' in page.text
        assert "Newer words" not in page.text

    def test_wording_follows_the_language_of_the_page(self, client, news):
        consent = factories.tracking_wording().consent
        german = consent_actions.publish_wording(consent, language="de", short_text="Ja, gern.")
        with translation.override("de"):
            page = client.get(url("subscribe", "news"))
        assert "Ja, gern." in page.text
        assert f'value="{german.pk}"' in page.text

    @pytest.mark.parametrize("wording", ["", "0", "-1", "x", "9" * 18, "9" * 400, "²", "1.0"])
    def test_tick_beside_an_unknown_wording_counts_for_nothing(self, client, news, wording):
        factories.tracking_wording()
        send_form(client, news, agrees="on", wording=wording)
        client.post(link_in(mail.outbox[0]))
        assert Subscription.objects.get().status == SubscriptionStatus.SUBSCRIBED
        assert not ConsentRecord.objects.exists()

    def test_wording_of_another_consent_counts_for_nothing(self, client, news):
        other = Consent.objects.create(code="other", name="Other")
        version = consent_actions.publish_wording(other, language="en", short_text="Sell my data")
        send_form(client, news, agrees="on", wording=version.pk)
        client.post(link_in(mail.outbox[0]))
        assert not ConsentRecord.objects.exists()

    def test_wording_without_a_tick_counts_for_nothing(self, client, news):
        send_form(client, news, wording=factories.tracking_wording().pk)
        client.post(link_in(mail.outbox[0]))
        assert not ConsentRecord.objects.exists()

    @override_settings(USE_THOUSAND_SEPARATOR=True)
    def test_large_ids_are_not_written_for_people(self, client, news):
        consent = factories.tracking_wording().consent
        version = consent_actions.publish_wording(consent, language="en", short_text="Again")
        type(version).objects.filter(pk=version.pk).update(id=1234567)
        assert 'value="1234567"' in client.get(url("subscribe", "news")).text

    def test_no_consent_no_question(self, client, news):
        Consent.objects.get(code="tracking").versions.all().delete()
        Consent.objects.all().delete()
        assert "agrees" not in client.get(url("subscribe", "news")).text


class TestPrograms:
    @pytest.mark.parametrize(
        "fields",
        [
            {"trap": "http://spam.example"},
            {"started": ""},
            {"started": "forged"},
            {"started": stamp()[:-2]},
        ],
    )
    def test_program_is_told_that_all_went_well(self, client, news, fields):
        page = send_form(client, news, **fields)
        assert page.status_code == 302
        assert page.url == url("subscribe_done", "news")
        assert not Contact.objects.exists()
        assert not mail.outbox

    def test_form_that_comes_back_at_once_is_asked_for_again(self, client, news):
        """A browser that fills in forms is as fast as a program: its owner must not be lied to."""
        started = stamp(seconds_ago=1.5)
        page = send_form(client, news, started=started)
        assert page.status_code == 422
        assert "once more" in page.text
        assert started in page.text
        assert not Contact.objects.exists()
        time.sleep(0.6)
        assert send_form(client, news, started=started).status_code == 302
        assert Contact.objects.exists()

    def test_trap_is_hidden_by_class_and_out_of_the_tab_order(self, client, news):
        page = client.get(url("subscribe", "news")).text
        trap = page.split('class="wei-form__trap"')[1].split("</div>")[0]
        assert 'tabindex="-1"' in trap
        assert 'autocomplete="off"' in trap
        assert "style=" not in page


class TestLimits:
    @override_settings(WAGTAIL_EMAIL_INSIGHTS={"forms_per_hour": 2})
    def test_one_network_may_send_so_many_forms(self, client, news):
        for name in ("a", "b"):
            assert send_form(client, news, email=f"{name}@example.org").status_code == 302
        page = send_form(client, news, email="c@example.org")
        assert page.status_code == 429
        assert 'value="c@example.org"' in page.text
        assert "try again later" in page.text
        assert not Contact.objects.filter(email="c@example.org").exists()

    @override_settings(WAGTAIL_EMAIL_INSIGHTS={"forms_per_hour": 1})
    def test_each_network_has_its_own_limit(self, client, news):
        for number in (1, 2):
            extra = {"REMOTE_ADDR": f"8.8.8.{number}", "HTTP_X_FORWARDED_FOR": "9.9.9.9"}
            page = send_form(client, news, extra, email=f"a{number}@example.org")
            assert page.status_code == 302

    @override_settings(WAGTAIL_EMAIL_INSIGHTS={"forms_per_hour": 0})
    def test_zero_switches_the_limit_off(self, client, news):
        for number in range(25):
            page = send_form(client, news, email=f"a{number}@example.org")
            assert page.status_code == 302

    def test_nobody_is_bombed_with_mail(self, client, news):
        pages = [send_form(client, news, email=text) for text in ["Ann@example.org"] * 5]
        assert {page.status_code for page in pages} == {302}
        assert len(mail.outbox) == 3

    def test_nobody_is_bombed_through_several_lists(self, client):
        for number in range(5):
            send_form(client, factories.make_list(slug=f"list-{number}"))
        assert len(mail.outbox) == 3

    @pytest.mark.usefixtures("broken_mail")
    def test_mail_server_away_is_said_and_costs_no_mail_of_the_day(self, client, news, monkeypatch):
        for _ in range(4):
            page = send_form(client, news)
            assert page.status_code == 503
            assert 'value="ann@example.org"' in page.text
        monkeypatch.undo()
        assert send_form(client, news).status_code == 302
        assert len(mail.outbox) == 1


def test_csrf_is_checked(news):
    from django.test import Client

    page = Client(enforce_csrf_checks=True).post(url("subscribe", "news"), filled_in())
    assert page.status_code == 403
    assert not Contact.objects.exists()
