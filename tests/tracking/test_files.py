from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail import hooks
from wagtail.documents.models import Document
from wagtail.models import Collection, CollectionViewRestriction

from tests.factories import make_contact, make_document, make_mailing
from wagtail_email_insights import tokens
from wagtail_email_insights.consents.actions import withdraw
from wagtail_email_insights.consents.queries import tracking_consent
from wagtail_email_insights.mailings.models import Delivery
from wagtail_email_insights.tokens import Kind
from wagtail_email_insights.tracking import links
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink

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
def document(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    return make_document()


@pytest.fixture
def link(document):
    return TrackedLink.objects.create(
        mailing=make_mailing(),
        position=0,
        url=f"http://testserver{document.url}",
        document_id=document.pk,
    )


@pytest.fixture
def delivery(link):
    contact = make_contact(agrees=True)
    return Delivery.objects.create(mailing=link.mailing, contact=contact, identified=True)


def address(link: TrackedLink, kind: Kind = Kind.FILE_ANONYMOUS, key: int = 77) -> str:
    return reverse("wagtail_email_insights:file", args=[tokens.make(kind, link.pk, key)])


def fetch(reader: Client, url: str, method: str = "get", **kwargs):
    """The answer, its body read to the end, so that no file stays open."""
    response = getattr(reader, method)(url, **kwargs)
    response.body = b"".join(response) if response.streaming else response.content
    return response


def downloads():
    return Event.objects.filter(kind=EventKind.DOWNLOAD)


def test_the_reader_gets_the_document_and_the_download_counts(reader, link):
    response = fetch(reader, address(link))
    assert (response.status_code, response.body) == (200, b"%PDF-1.7 roses")
    event = downloads().get()
    assert (event.link, event.mailing, event.contact, event.copy) == (link, link.mailing, None, -77)


def test_the_answer_claims_no_encoding_that_there_is_not(reader, link):
    assert "Content-Encoding" not in fetch(reader, address(link)).headers


def test_an_encoding_that_there_is_stays(reader, link):
    packed = make_document("roses.pdf.gz", b"packed")
    TrackedLink.objects.filter(pk=link.pk).update(document_id=packed.pk)
    assert fetch(reader, address(link))["Content-Encoding"] == "gzip"


def test_an_identified_copy_says_who_it_was(reader, link, delivery):
    fetch(reader, address(link, Kind.FILE, delivery.pk))
    event = downloads().get()
    assert (event.contact, event.copy) == (delivery.contact, delivery.pk)


def test_without_consent_it_counts_and_says_nobody(reader, link, delivery):
    withdraw(delivery.contact, tracking_consent(), source="test")
    fetch(reader, address(link, Kind.FILE, delivery.pk))
    assert downloads().get().contact is None


def test_shared_copies_count_in_totals_only(reader, link):
    fetch(reader, address(link, key=0))
    assert downloads().get().copy is None


def test_looking_ahead_counts_nothing(reader, link):
    assert fetch(reader, address(link), "head").status_code == 200
    fetch(reader, address(link), headers={"Sec-Purpose": "prefetch"})
    assert not downloads().exists()


def test_the_answer_is_kept_nowhere_and_runs_nothing(reader, settings, document, link):
    settings.WAGTAILDOCS_BLOCK_EMBEDDED_CONTENT = False
    settings.WAGTAILDOCS_INLINE_CONTENT_TYPES = ["text/html"]
    page = make_document("page.html", b"<script>alert(1)</script>")
    TrackedLink.objects.filter(pk=link.pk).update(document_id=page.pk)
    response = fetch(reader, address(link))
    assert response["Content-Type"].startswith("text/html")
    assert response["Content-Security-Policy"] == "default-src 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]
    assert "noindex" in response["X-Robots-Tag"]
    assert response["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("seconds", [-1, -86400 * 400])
def test_when_its_time_is_over_a_page_says_so(reader, link, seconds):
    end = timezone.now() + timedelta(seconds=seconds)
    TrackedLink.objects.filter(pk=link.pk).update(expires_at=end)
    response = reader.get(address(link))
    assert response.status_code == 410
    assert "no longer available" in response.text
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "noindex" in response["X-Robots-Tag"]
    assert not downloads().exists()


def test_until_its_time_is_over_it_is_served(reader, link):
    end = timezone.now() + timedelta(minutes=1)
    TrackedLink.objects.filter(pk=link.pk).update(expires_at=end)
    assert fetch(reader, address(link)).status_code == 200


def test_the_newest_file_of_the_document_is_served(reader, document, link):
    document.file = ContentFile(b"corrected", "report2.pdf")
    document.save()
    assert fetch(reader, address(link)).body == b"corrected"


def test_a_deleted_document_is_not_found(reader, document, link):
    document.delete()
    assert reader.get(address(link)).status_code == 404
    assert not downloads().exists()


def test_a_file_that_is_missing_is_not_found(reader, document, link):
    document.file.storage.delete(document.file.name)
    assert reader.get(address(link)).status_code == 404


@pytest.mark.parametrize("kind", [Kind.CLICK, Kind.CLICK_ANONYMOUS, Kind.OPEN, Kind.WEB_VERSION])
def test_another_kind_of_token_opens_nothing(reader, link, kind):
    assert reader.get(address(link, kind)).status_code == 404


def test_a_plain_link_opens_no_document(reader, link):
    TrackedLink.objects.filter(pk=link.pk).update(document_id=None)
    assert reader.get(address(link)).status_code == 404


def test_a_forged_or_unknown_token_is_not_found(reader, link):
    good = address(link)
    forged = good[:-3] + ("AAA" if good[-3:] != "AAA" else "BBB")
    assert reader.get(forged).status_code == 404
    assert reader.get(address(TrackedLink(pk=link.pk + 1000))).status_code == 404


def test_only_reading_is_possible(reader, link):
    assert reader.post(address(link)).status_code == 405


@pytest.fixture
def private(document):
    collection = Collection.get_first_root_node().add_child(name="Private")
    Document.objects.filter(pk=document.pk).update(collection=collection)
    return collection


def test_a_private_document_asks_for_a_log_in_and_leads_back(
    reader, link, private, django_user_model
):
    CollectionViewRestriction.objects.create(collection=private, restriction_type="login")
    response = reader.get(address(link))
    assert response.status_code == 302
    assert address(link) in response["Location"]
    assert not downloads().exists()
    reader.force_login(django_user_model.objects.create_user("ann"))
    assert fetch(reader, address(link)).status_code == 200
    assert downloads().count() == 1


def test_a_document_behind_a_password_asks_for_it_and_leads_back(reader, link, private):
    restriction = CollectionViewRestriction.objects.create(
        collection=private, restriction_type="password", password="roses"
    )
    response = reader.get(address(link))
    assert response.status_code == 200
    assert address(link) in response.text
    # With "no-referrer" browsers would send "Origin: null", which Django's CSRF check refuses.
    assert response["Referrer-Policy"] == "same-origin"
    assert "Content-Security-Policy" not in response
    assert not downloads().exists()
    asked = reader.post(
        reverse("wagtaildocs_authenticate_with_password", args=[restriction.pk]),
        {"password": "roses", "return_url": address(link)},
    )
    assert asked["Location"] == address(link)
    assert fetch(reader, asked["Location"]).body == b"%PDF-1.7 roses"
    assert downloads().count() == 1


def test_hooks_of_the_host_may_refuse(reader, link):
    from django.http import HttpResponseForbidden

    def refuse(document, request):
        return HttpResponseForbidden("members only")

    with hooks.register_temporarily("before_serve_document", refuse):
        assert reader.get(address(link)).status_code == 403
    assert not downloads().exists()


def test_storages_elsewhere_are_led_to(reader, link, settings):
    settings.WAGTAILDOCS_SERVE_METHOD = "redirect"
    settings.MEDIA_URL = "https://files.example.org/"
    response = reader.get(address(link))
    assert response.status_code == 302
    assert response["Location"].startswith("https://files.example.org/documents/report")
    assert "no-store" in response["Cache-Control"]
    assert downloads().count() == 1


def test_the_document_at_its_own_address_counts_nothing(reader, document, link):
    assert fetch(reader, document.url).status_code == 200
    assert not downloads().exists()


@pytest.mark.parametrize("known", [True, False])
def test_without_a_database_the_reader_is_asked_to_come_back(reader, link, known):
    if known:
        links.destination(link.pk)

    def refuse(execute, *args):
        raise OperationalError("away")

    url = address(link)
    with connection.execute_wrapper(refuse):
        response = reader.get(url)
    links._database.reset()
    assert response.status_code == 503
    assert response["Retry-After"]
