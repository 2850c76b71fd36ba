"""What stands where two copies differ: attachments, web version, trap link."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.utils import timezone

from tests.factories import make_document, make_email
from wagtail_email_insights import tokens
from wagtail_email_insights.mailings.models import Delivery
from wagtail_email_insights.sending.preparing import with_trap
from wagtail_email_insights.tokens import Kind

from .test_sending import html_of, parsed

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    return make_document()


@pytest.fixture
def with_attachment(mailing, document):
    mailing.email = make_email(
        body=[
            ("rich_text", f'<p><a linktype="document" id="{document.pk}">Again</a></p>'),
            ("attachment", {"document": document, "days": 30}),
            ("attachment", {"document": document, "days": 30}),
        ]
    )
    mailing.save()
    return mailing


def by_address(messages):
    return {message.to[0]: message for message in messages}


def found(html: str, letter: str) -> list[tokens.Token]:
    return [tokens.read(text) for text in re.findall(rf"/email/{letter}/([\w-]+)\"", html)]


def trap_in(html: str):
    return BeautifulSoup(html, "html.parser").find("a", href=re.compile("/email/t/"))


def test_an_attachment_is_one_link_that_knows_its_document_and_its_end(with_attachment, send):
    send(with_attachment)
    plain, attached = with_attachment.links.all()
    assert plain.document_id is None
    assert plain.expires_at is None
    assert attached.document_id is not None
    assert attached.expires_at == with_attachment.started_at + timedelta(days=30)
    assert attached.url == plain.url
    assert attached.url.endswith("report.pdf")


def test_an_attachment_carries_the_copy_like_a_link(with_attachment, send):
    messages = by_address(send(with_attachment))
    attached = with_attachment.links.get(document_id__isnull=False)
    delivery = Delivery.objects.get(contact__email="c0@example.org")
    known = found(html_of(messages["c0@example.org"]), "f")
    assert known == [tokens.Token(Kind.FILE, (attached.pk, delivery.pk))] * 2
    for token in found(html_of(messages["c1@example.org"]), "f"):
        assert (token.kind, token.values[0]) == (Kind.FILE_ANONYMOUS, attached.pk)
        assert token.values[1] != delivery.pk
    assert len(found(html_of(messages["c1@example.org"]), "c")) == 1


def test_the_text_part_leads_to_the_attachment_too(with_attachment, send):
    text = parsed(send(with_attachment)[0]).get_body(("plain",)).get_content()
    assert re.search(r"report.pdf\s\(http://testserver/email/f/[\w-]+\)", text)
    assert "/documents/" not in text


def test_uncounted_copies_lead_straight_to_the_document(with_attachment, send, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"anonymous_counting": "off"}
    html = html_of(by_address(send(with_attachment))["c1@example.org"])
    assert "/email/f/" not in html
    assert html.count("/report.pdf") == 3


def test_every_copy_has_its_own_way_to_the_browser(mailing, send):
    messages = by_address(send(mailing))
    delivery = Delivery.objects.get(contact__email="c0@example.org")
    known = found(html_of(messages["c0@example.org"]), "w")
    assert known == [tokens.Token(Kind.WEB_VERSION, (mailing.pk, delivery.pk, 0))]
    [one] = found(html_of(messages["c1@example.org"]), "w")
    [other] = found(html_of(messages["c2@example.org"]), "w")
    assert one.kind == other.kind == Kind.WEB_VERSION_ANONYMOUS
    assert one.values[1] != other.values[1]
    for token in found(html_of(messages["c1@example.org"]), "c"):
        assert token.values[1] == one.values[1]


@pytest.mark.parametrize("counting", ["shared", "off"])
def test_copies_not_told_apart_share_the_way_to_the_browser(mailing, send, settings, counting):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"anonymous_counting": counting}
    messages = by_address(send(mailing))
    for address in ("c1@example.org", "c2@example.org"):
        nobody = tokens.Token(Kind.WEB_VERSION_ANONYMOUS, (mailing.pk, 0, 0))
        assert found(html_of(messages[address]), "w") == [nobody]


def test_the_trap_comes_first_and_the_unsubscribe_link_last(mailing, send):
    messages = by_address(send(mailing))
    delivery = Delivery.objects.get(contact__email="c0@example.org")
    html = html_of(messages["c0@example.org"])
    assert found(html, "t") == [tokens.Token(Kind.TRAP, (mailing.pk, delivery.pk, 0))]
    [anonymous] = found(html_of(messages["c1@example.org"]), "t")
    assert anonymous.kind == Kind.TRAP_ANONYMOUS
    links = BeautifulSoup(html, "html.parser").find_all("a")
    assert links[0] == trap_in(html)
    assert "unsubscribe" in links[-2]["href"]


def test_nobody_is_led_into_the_trap(mailing, send):
    message = send(mailing)[0]
    trap = trap_in(html_of(message))
    assert (trap["aria-hidden"], trap["tabindex"]) == ("true", "-1")
    assert trap.get_text() == "\u200b"
    assert "/email/t/" not in parsed(message).get_body(("plain",)).get_content()


@pytest.mark.parametrize("counting", ["shared", "off"])
def test_only_copies_told_apart_hold_a_trap(mailing, send, settings, counting):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"anonymous_counting": counting}
    messages = by_address(send(mailing))
    assert trap_in(html_of(messages["c0@example.org"]))
    assert not trap_in(html_of(messages["c1@example.org"]))


def test_traps_can_be_switched_off(mailing, send, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"trap_links": False}
    assert not any(trap_in(html_of(message)) for message in send(mailing))


def test_api_backends_get_the_same_body(mailing, send):
    message = send(mailing)[0]
    [(html, _type)] = message.alternatives
    assert html.split() == html_of(message).split()


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<html><BODY class=a><p>x", "<html><BODY class=a>{{ trap }}<p>x"),
        ("<title><body></title><body>x", "<title><body></title><body>{{ trap }}x"),
        ("<p>x", "{{ trap }}<p>x"),
    ],
)
def test_the_trap_is_put_where_the_body_begins(html, expected):
    assert with_trap(html) == expected


def test_an_endless_offer_has_no_end(mailing, send, document):
    mailing.email = make_email(body=[("attachment", {"document": document})])
    mailing.save()
    send(mailing)
    assert mailing.links.get().expires_at is None


def test_a_mailing_prepared_without_a_start_counts_from_now(with_attachment):
    from wagtail_email_insights.sending.preparing import freeze_content

    freeze_content(with_attachment)
    left = with_attachment.links.get(document_id__isnull=False).expires_at - timezone.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
