"""What holds for every public page: headers, and links that are none of ours."""

from __future__ import annotations

import pytest
from django.test import override_settings
from django.utils import timezone
from wagtail.models import Site

from tests import factories
from wagtail_email_insights import tokens
from wagtail_email_insights.tracking.pages import content_security_policy

from .helpers import delivery_to, unsubscribe_token, url

pytestmark = pytest.mark.django_db

PAGES = ["subscribe", "subscribe_done", "confirm", "unsubscribe", "unsubscribe_one_click"]
WITH_TOKEN = PAGES[2:]
METHODS = ["get", "head", "post", "options"]


def address(name: str) -> str:
    contact, news = factories.make_contact(), factories.make_list(slug="news")
    subscription = factories.subscribe(contact, news)
    if name.startswith("subscribe"):
        return url(name, "news")
    if name == "confirm":
        today = int(timezone.now().timestamp() // 86_400)
        return url(name, tokens.make(tokens.Kind.CONFIRM, subscription.pk, 0, today))
    return url(name, unsubscribe_token(delivery_to(contact, news)))


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("method", METHODS)
def test_headers_stand_on_every_answer(client, name, method):
    page = getattr(client, method)(address(name))
    assert page["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert page["Referrer-Policy"] == "same-origin"
    assert page["Cache-Control"] == "no-store"
    assert page["X-Robots-Tag"] == "noindex, nofollow"


@pytest.mark.parametrize("name", ["subscribe", "subscribe_done", "confirm", "unsubscribe"])
def test_every_page_leads_back_to_the_site(client, name):
    html = client.get(address(name)).content.decode()
    site = Site.objects.get()
    assert f'<a href="{site.root_page.url}">Back to {site.site_name or site.hostname}</a>' in html


def forged(kind: tokens.Kind) -> list[str]:
    genuine = tokens.make(kind, 1, 0, 20_000) if kind == tokens.Kind.CONFIRM else ""
    genuine = genuine or tokens.make(kind, 1)
    with override_settings(SECRET_KEY="another site's"):
        foreign = tokens.make(kind, 1)
    other_kind = tokens.make(tokens.Kind.OPEN, 1, 1)
    return [genuine[:-1], genuine[1:], genuine + "A", foreign, other_kind, "x", "ü", "a" * 5000]


@pytest.mark.parametrize("name", WITH_TOKEN)
@pytest.mark.parametrize("method", ["get", "head", "post"])
@pytest.mark.parametrize("case", range(8))
def test_forged_token_is_a_plain_404_without_any_query(
    client, django_assert_num_queries, name, method, case
):
    kind = tokens.Kind.CONFIRM if name == "confirm" else tokens.Kind.UNSUBSCRIBE
    path = url(name, forged(kind)[case])
    with django_assert_num_queries(0):
        page = getattr(client, method)(path, {"List-Unsubscribe": "One-Click", "scope": "lists"})
    assert page.status_code == 404
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert "csrf" not in page.text


@override_settings(STATIC_URL="https://static.example.net/s/")
def test_static_files_of_another_host_are_allowed_for():
    assert "style-src 'self' https://static.example.net;" in content_security_policy()


def test_one_click_works_though_static_files_were_not_collected(client, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": storage}}
    path = address("unsubscribe_one_click")
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200


@pytest.mark.parametrize("name", ["subscribe", "subscribe_done", "confirm", "unsubscribe"])
def test_pages_need_no_script_and_load_nothing_from_elsewhere(client, name):
    text = client.get(address(name)).text
    assert "<script" not in text
    assert "style=" not in text
    assert "//" not in text.replace("http://www.w3.org", "")


def test_page_carries_the_name_and_language_of_the_site(client):
    from wagtail.models import Site

    Site.objects.update(site_name="The <Herald>")
    text = client.get(address("subscribe")).text
    assert "The &lt;Herald&gt;" in text
    assert '<html lang="en" dir="ltr">' in text


@pytest.mark.parametrize("name", PAGES)
def test_pages_work_without_any_wagtail_site(client, name):
    from wagtail.models import Site

    Site.objects.all().delete()
    assert client.get(address(name)).status_code in {200, 302}
