from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from django.core import mail
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from tests.factories import make_contact, make_document, make_email, make_mailing, subscribe
from wagtail_email_insights import tokens
from wagtail_email_insights.contacts.models import Subscription, SubscriptionStatus
from wagtail_email_insights.mailings.actions import erase
from wagtail_email_insights.mailings.models import Delivery, MailingVariant
from wagtail_email_insights.sending import web_version
from wagtail_email_insights.sending.actions import send_test
from wagtail_email_insights.tokens import Kind
from wagtail_email_insights.tracking import links
from wagtail_email_insights.tracking.models import Event, EventKind

from .test_sending import html_of

pytestmark = pytest.mark.django_db

BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36"
)


@pytest.fixture(autouse=True)
def _no_cached_links():
    links.forget()


@pytest.fixture
def reader() -> Client:
    return Client(headers={"user-agent": BROWSER})


@pytest.fixture
def sent(news, send, settings, tmp_path):
    """A mailing to Ann, who agreed to tracking, and Bob, who did not."""
    settings.MEDIA_ROOT = str(tmp_path)
    for name in ("Ann", "Bob"):
        contact = make_contact(f"{name.lower()}@example.org", agrees=name == "Ann", first_name=name)
        subscribe(contact, news)
    body = [
        ("heading", {"text": 'Dear {{ first_name|default:"reader" }}', "size": "h1"}),
        ("button", {"text": "Go", "url": "https://example.com/b?a=1&b=2"}),
        ("attachment", {"document": make_document()}),
    ]
    mailing = make_mailing(make_email(subject="For {{ first_name }}", body=body), news)
    send(mailing)
    return mailing


def address_in(name: str) -> str:
    (message,) = [m for m in mail.outbox if m.to == [f"{name}@example.org"]]
    (found,) = re.findall(r'"http://testserver(/email/w/[\w-]+)"', html_of(message))
    return found


def address(*values: int, kind: Kind = Kind.WEB_VERSION_ANONYMOUS) -> str:
    return reverse("wagtail_email_insights:web_version", args=[tokens.make(kind, *values)])


def views():
    return Event.objects.filter(kind=EventKind.WEB_VIEW)


@pytest.mark.parametrize("name", ["ann", "bob"])
def test_the_page_is_the_mail_and_knows_nobody(sent, reader, name):
    page = reader.get(address_in(name))
    assert page.status_code == 200
    assert "Dear reader" in page.text
    assert "ann" not in page.text.lower().replace("channel", "")
    assert "bob" not in page.text.lower()
    assert "{{" not in page.text
    assert BeautifulSoup(page.text, "html.parser").title.get_text() == "For "


def test_looking_at_it_counts_as_a_view_of_that_copy_and_as_nothing_else(sent, reader):
    delivery = Delivery.objects.get(contact__email="ann@example.org")
    reader.get(address_in("ann"))
    event = Event.objects.get(kind__in=[EventKind.WEB_VIEW, EventKind.OPEN, EventKind.CLICK])
    assert (event.kind, event.mailing, event.contact, event.copy) == (
        EventKind.WEB_VIEW, sent, delivery.contact, delivery.pk,
    )  # fmt: skip


def test_an_anonymous_copy_is_counted_and_names_nobody(sent, reader):
    reader.get(address_in("bob"))
    event = views().get()
    assert event.contact is None
    assert event.copy < 0


def test_looking_ahead_counts_nothing(sent, reader):
    assert reader.head(address_in("ann")).status_code == 200
    reader.get(address_in("ann"), headers={"Sec-Purpose": "prefetch"})
    assert not views().exists()


@pytest.mark.parametrize("name", ["ann", "bob"])
def test_its_links_and_files_count_for_the_same_copy(sent, reader, name):
    page = BeautifulSoup(reader.get(address_in(name)).text, "html.parser")
    button, file = page.find("a", "button"), page.find("a", "file-link")
    assert reader.get(button["href"])["Location"] == "https://example.com/b?a=1&b=2"
    response = reader.get(file["href"])
    assert b"".join(response).startswith(b"%PDF")
    copies = Event.objects.filter(kind__in=["web_view", "click", "download"]).values_list("copy")
    assert len(copies) == 3
    assert len(set(copies)) == 1


@pytest.mark.parametrize("name", ["ann", "bob"])
def test_the_link_that_led_here_is_left_out(sent, reader, name):
    page = reader.get(address_in(name)).text
    assert "View in your browser" not in page
    assert 'href="#"' not in page
    assert "Unsubscribe" in page


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ('<p class="x">\n<a href="{{ web_version_url }}">See</a> </p><p>y</p>', "<p>y</p>"),
        ("<p>Or <A href='{{web_version_url}}'><b>see</b></A >.</p>", "<p>Or .</p>"),
        ('<p>x</p><a href="{{ web_version_url }}">never closed', None),
        ('<p><a href="{{ link_0 }}">x</a></p>', None),
        ('<a href="https://example.com/?web_version_url">x</a>', None),
    ],
)
def test_nothing_else_goes_with_it(html, left):
    assert web_version.without_link_to_itself(html) == (html if left is None else left)


def test_it_has_neither_pixel_nor_trap(sent, reader):
    page = reader.get(address_in("ann")).text
    assert "/email/o/" not in page
    assert "/email/t/" not in page


def test_a_page_handed_on_unsubscribes_nobody(sent, reader):
    page = BeautifulSoup(reader.get(address_in("ann")).text, "html.parser")
    [leave] = [a for a in page.find_all("a") if "Unsubscribe" in a.get_text()]
    note = reader.get(leave["href"])
    assert note.status_code == 200
    assert "<form" not in note.text
    assert "your own e-mail" in note.text
    assert "ann@example.org" not in note.text
    assert reader.post(leave["href"]).status_code == 405
    statuses = Subscription.objects.values_list("status", flat=True)
    assert set(statuses) == {SubscriptionStatus.SUBSCRIBED}


def test_nothing_on_it_runs_and_nobody_keeps_it(sent, reader):
    page = reader.get(address_in("ann"))
    policy = page["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "no-store" in page["Cache-Control"]
    assert "noindex" in page["X-Robots-Tag"]
    assert page["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("kind", [Kind.OPEN, Kind.UNSUBSCRIBE, Kind.CLICK])
def test_another_kind_of_token_is_not_found(sent, reader, kind):
    assert reader.get(address(sent.pk, 7, 0, kind=kind)).status_code == 404


def test_what_was_never_sent_is_not_found(sent, reader):
    assert reader.get(address(sent.pk + 100, 7, 0)).status_code == 404
    assert reader.get(address(sent.pk, 7, 9)).status_code == 404
    assert reader.get(address(make_mailing().pk, 7, 0)).status_code == 404
    assert reader.get(address_in("ann")[:-2]).status_code == 404


def test_an_erased_mailing_is_not_found(sent, reader):
    where = address_in("ann")
    erase(sent)
    assert reader.get(where).status_code == 404


def test_a_mail_that_is_not_counted_has_a_page_that_is_not(mailing, send, settings, reader):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"anonymous_counting": "off"}
    send(mailing)
    page = reader.get(address_in("c1")).text
    assert "/email/c/" not in page
    assert 'href="https://example.com/b"' in page
    assert not views().exists()


def test_shared_counting_counts_views_in_totals_only(mailing, send, settings, reader):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"anonymous_counting": "shared"}
    send(mailing)
    reader.get(address_in("c1"))
    assert views().get().copy is None


def test_each_variant_shows_its_own_content(mailing, send, reader):
    for number, subject in ((1, "Roses"), (2, "Thorns")):
        MailingVariant.objects.create(mailing=mailing, number=number, subject=subject)
    send(mailing)
    for number, subject in ((1, "Roses"), (2, "Thorns")):
        assert f"<title>{subject}</title>" in reader.get(address(mailing.pk, 7, number)).text


def test_a_test_mail_leads_nowhere():
    send_test(make_email(), ["editor@example.org"], site=None)
    [message] = mail.outbox
    [(html, _type)] = message.alternatives
    assert "/email/" not in html
    [link] = [
        a
        for a in BeautifulSoup(html, "html.parser").find_all("a")
        if a.get_text() == "View in your browser"
    ]
    assert link["href"] == "#"


@pytest.mark.parametrize("number", [1, 30])
def test_a_page_costs_the_same_however_many_links(news, send, number, django_assert_num_queries):
    subscribe(make_contact("ann@example.org"), news)
    body = [("button", {"text": "x", "url": f"https://e.example/{n}"}) for n in range(number)]
    send(make_mailing(make_email(body=body), news))
    token = tokens.read(address_in("ann").rpartition("/")[2])
    with django_assert_num_queries(2):
        web_version.document(web_version.content_of(token), token)


def test_without_a_database_the_reader_is_asked_to_come_back(sent, reader):
    def refuse(execute, *args):
        raise OperationalError("away")

    with connection.execute_wrapper(refuse):
        assert reader.get(address_in("ann")).status_code == 503
