"""A click by somebody who may not be known counts, and can be found nowhere under their name."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.activities import exports, queries
from wagtail_email_insights.activities.filters import ActivityFilter
from wagtail_email_insights.admin.activity_feed import EXPORT
from wagtail_email_insights.consents.actions import withdraw
from wagtail_email_insights.consents.queries import tracking_consent
from wagtail_email_insights.contacts.models import Contact
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.segments.queries import contacts_in
from wagtail_email_insights.sending import actions
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.statistics.figures import figures_for
from wagtail_email_insights.tracking import links
from wagtail_email_insights.tracking.models import Event

pytestmark = pytest.mark.django_db
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def _no_cached_links():
    links.forget()


@pytest.fixture
def sent():
    """A mailing sent to ann, who agreed to be known, and to bob, who did not."""
    news = make_list()
    for name in ("ann", "bob"):
        subscribe(make_contact(f"{name}@example.org", agrees=name == "ann"), news)
    mailing = make_mailing(make_email(), news)
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    return mailing


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("admin"))
    return client


def contact(name: str) -> Contact:
    return Contact.objects.get(email=f"{name}@example.org")


def open_and_click(name: str) -> None:
    """Follow everything in the copy of *name* that is tracked, as their browser does."""
    [message] = [copy for copy in mail.outbox if copy.to == [f"{name}@example.org"]]
    html = message.raw.replace(b"=\r\n", b"").decode().replace("=3D", "=")
    reader = Client(headers={"user-agent": BROWSER})
    for address in re.findall(r'="http://testserver(/email/[co]/[\w-]+)"', html)[:3]:
        reader.get(address)


def screens(mailing) -> list[str]:
    """Every address of the admin that shows or exports what contacts did."""

    def of_email(name: str) -> str:
        return reverse(Email.snippet_viewset.get_url_name(name), args=[mailing.email_id])

    export = reverse(EXPORT)
    return [
        of_email("activities"),
        of_email("activities_fragment"),
        of_email("activities_fragment") + "?panel",
        reverse(Email.snippet_viewset.get_url_name("people"), args=[mailing.email_id, "clicked"]),
        "/admin/email-insights/activities/",
        f"{export}?format=csv",
        f"{export}?format=csv&email={mailing.email_id}",
        f"{export}?format=csv&contact={contact('bob').pk}",
    ]


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return b"".join(response).decode()


def names_found(client: Client, mailing) -> dict[str, set[str]]:
    return {
        address: {name for name in ("ann", "bob") if f"{name}@example.org" in shown}
        for address in screens(mailing)
        for shown in [text_of(client, address)]
    }


def timeline(client: Client, name: str) -> str:
    """The activities on the page of a contact, without what stands above them."""
    pages = [
        reverse("email_contacts:timeline", args=[contact(name).pk]),
        reverse("email_contacts:inspect", args=[contact(name).pk]),
    ]
    return "".join(text_of(client, page).split('id="activities"')[-1] for page in pages)


def clickers() -> set[str]:
    condition = {
        "negate": False,
        "link_match": "any",
        "link_value": "",
        "email": None,
        "days": None,
    }
    segment = Segment.objects.create(name="Clicked", conditions=[("clicked_link", condition)])
    return set(contacts_in(segment).values_list("email", flat=True))


def known_to_the_api(mailing) -> set[str]:
    """Whom the Python API names."""
    feeds = [
        queries.everything(),
        queries.of_email(mailing.email),
        queries.of_contact(contact("bob")),
    ]
    named = {event.contact.email for feed in feeds for event in feed}
    return named | {row[1] for row in exports.rows(feeds[0], ActivityFilter())}


def test_a_click_without_consent_raises_the_figures_and_shows_nowhere(sent, admin):
    open_and_click("bob")
    assert figures_for(sent)["clicked"].value == 1
    assert figures_for(sent)["opened"].value == 1
    assert not any(names_found(admin, sent).values())
    assert "https://example.com/" not in timeline(admin, "bob")
    assert clickers() == set()
    assert known_to_the_api(sent) == set()
    assert not Event.objects.filter(contact__isnull=False).exists()


def test_a_click_with_consent_shows_everywhere_at_once(sent, admin):
    open_and_click("ann")
    open_and_click("bob")
    assert figures_for(sent)["clicked"].value == 2
    found = names_found(admin, sent)
    # The last address is the export of what bob did.
    assert found.popitem()[1] == set()
    assert set(map(frozenset, found.values())) == {frozenset({"ann"})}
    assert "https://example.com/a?x=1&amp;y=2" in timeline(admin, "ann")
    assert clickers() == {"ann@example.org"}
    assert known_to_the_api(sent) == {"ann@example.org"}


def test_taking_the_consent_back_takes_the_name_off_the_past(sent, admin):
    open_and_click("ann")
    open_and_click("bob")
    before = {figure.code: (figure.value, figure.total) for figure in figures_for(sent)}
    withdraw(contact("ann"), tracking_consent())
    after = {figure.code: (figure.value, figure.total) for figure in figures_for(sent)}
    assert after == before
    assert after["clicked"][0] == 2
    assert not any(names_found(admin, sent).values())
    assert "https://example.com/" not in timeline(admin, "ann")
    assert clickers() == set()
    assert known_to_the_api(sent) == set()


def test_no_filter_brings_them_back(sent, admin):
    open_and_click("bob")
    for query in ("q=bob", "kind=click", "verdict=human", f"mailing={sent.pk}", "sort=oldest"):
        for address in screens(sent):
            glue = "&" if "?" in address else "?"
            if "export" in address or "/email-insights/activities/" not in address:
                assert "bob@example.org" not in text_of(admin, f"{address}{glue}{query}")
