from __future__ import annotations

import re

import pytest
from wagtail.models import ModelLogEntry

from tests.admin.statistics_world import address, link_of, readers, send, text_of

pytestmark = pytest.mark.django_db

NEW = "https://example.com/right"


@pytest.fixture
def mailing():
    return send(None, readers())


def test_the_table_of_links_leads_to_the_correction(admin_client, mailing):
    html = text_of(admin_client.get(address("statistics", mailing.email_id)))
    assert f'href="{address("link_correct", link_of(mailing).pk)}"' in html


def test_a_link_is_led_elsewhere_and_that_is_remembered(admin_client, mailing):
    link = link_of(mailing)
    before = link.url
    url = address("link_correct", link.pk)
    answer = admin_client.post(url, {"url": NEW})
    assert answer["Location"] == address("statistics", mailing.email_id)
    link.refresh_from_db()
    assert link.url == NEW
    html = text_of(admin_client.get(url))
    assert "Earlier corrections" in html
    assert before.replace("&", "&amp;") in html
    entry = ModelLogEntry.objects.get(action="wagtail_email_insights.correct_link")
    assert entry.data["after"] == NEW
    assert entry.data["before"] == before
    assert entry.message == f"A link to {before} leads to {NEW} now"


def test_the_table_of_links_tells_where_a_link_led_before(admin_client, mailing):
    link = link_of(mailing)
    before = link.url
    for url in (NEW, f"{NEW}er"):
        admin_client.post(address("link_correct", link.pk), {"url": url})
    html = text_of(admin_client.get(address("statistics", mailing.email_id)))
    told = re.findall(r"Until [^<]*? it led to ([^<]*)<", html)
    assert told == [before.replace("&", "&amp;"), NEW]


@pytest.mark.parametrize("bad", ["", "javascript:alert(1)", "/relative", "https://"])
def test_an_address_that_no_click_can_be_led_to_is_refused(admin_client, mailing, bad):
    link = link_of(mailing)
    answer = admin_client.post(address("link_correct", link.pk), {"url": bad})
    assert answer.status_code == 422
    assert link_of(mailing).url == link.url
    assert not ModelLogEntry.objects.filter(action__contains="correct_link").exists()


def test_it_warns_before(admin_client, mailing):
    html = text_of(admin_client.get(address("link_correct", link_of(mailing).pk)))
    assert "Copies that were delivered long ago follow the correction" in html


def test_it_needs_the_permission_to_send(editor, mailing):
    client = editor("view_statistics", "view_activities", "change_email")
    link = link_of(mailing)
    assert client.post(address("link_correct", link.pk), {"url": NEW}).status_code == 302
    assert link_of(mailing).url == link.url


def test_an_attachment_has_no_address_to_correct(admin_client, mailing):
    link = link_of(mailing)
    type(link).objects.filter(pk=link.pk).update(document_id=5)
    assert admin_client.get(address("link_correct", link.pk)).status_code == 404
