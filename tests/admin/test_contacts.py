from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.consents import actions as consent_actions
from wagtail_email_insights.consents.queries import tracking_consent
from wagtail_email_insights.contacts.actions import suppress
from wagtail_email_insights.contacts.models import Contact, SubscriptionStatus, SuppressionReason
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink, Verdict

pytestmark = pytest.mark.django_db
INDEX = "/admin/email-insights/contacts/"
HOSTILE = "<script>alert(1)</script>"


def rows(client, **query) -> set[str]:
    response = client.get(INDEX, query)
    return {contact.email.split("@")[0] for contact in response.context["object_list"]}


def inspect_url(contact: Contact) -> str:
    return reverse("email_contacts:inspect", args=[contact.pk])


def timeline_url(contact: Contact) -> str:
    return reverse("email_contacts:timeline", args=[contact.pk])


def click(contact: Contact, url: str, verdict: str = Verdict.HUMAN) -> Event:
    mailing = make_mailing(make_email("June news"))
    link = TrackedLink.objects.create(mailing=mailing, position=0, url=url)
    return Event.objects.create(
        kind=EventKind.CLICK, contact=contact, mailing=mailing, link=link, verdict=verdict
    )


def test_an_editor_without_permission_is_refused(editor):
    contact = make_contact()
    client = editor()
    for url in (INDEX, INDEX + "new/", inspect_url(contact), INDEX + f"edit/{contact.pk}/"):
        assert client.get(url).status_code == 302, url
        assert client.get(url, headers={"X-Requested-With": "XMLHttpRequest"}).status_code == 403


def test_the_list_costs_the_same_for_3_and_30_contacts(queries_of):
    news = make_list()
    for _ in range(3):
        subscribe(make_contact(agrees=True), news)
    few = queries_of(INDEX)
    for _ in range(27):
        subscribe(make_contact(agrees=True), news)
    assert queries_of(INDEX) == few


def test_the_list_says_where_everybody_stands(admin):
    news = make_list("News")
    subscribe(make_contact(), news)
    subscribe(make_contact(), news, SubscriptionStatus.PENDING)
    suppress(make_contact().email, SuppressionReason.HARD_BOUNCE)
    make_contact()
    html = admin.get(INDEX).content.decode()
    for words in ("Subscribed", "Not confirmed", "Address does not exist", "On no list"):
        assert words in html


def test_consent_shows_and_filters(admin):
    make_contact("yes@example.org", agrees=True)
    make_contact("no@example.org")
    make_contact("hidden@example.org", agrees=True, do_not_track=True)
    left = make_contact("left@example.org", agrees=True)
    consent_actions.withdraw(left, tracking_consent())
    known = {row.email for row in admin.get(INDEX).context["object_list"] if row.is_known}
    assert known == {"yes@example.org"}
    assert rows(admin, known="yes") == {"yes"}
    assert rows(admin, known="no") == {"no", "hidden", "left"}


def test_list_and_standing_mean_the_same_subscription(admin):
    news, shop = make_list("News"), make_list("Shop")
    ann, bob = make_contact("ann@example.org"), make_contact("bob@example.org")
    make_contact("carla@example.org")
    subscribe(ann, news)
    subscribe(ann, shop, SubscriptionStatus.PENDING)
    subscribe(bob, news, SubscriptionStatus.PENDING)
    suppress(bob.email, SuppressionReason.COMPLAINT)
    assert rows(admin, recipient_list=news.pk) == {"ann", "bob"}
    assert rows(admin, recipient_list=news.pk, standing="pending") == {"bob"}
    assert rows(admin, standing="pending") == {"ann", "bob"}
    assert rows(admin, standing="suppressed") == {"bob"}
    assert rows(admin, standing="none") == {"carla"}
    assert rows(admin, recipient_list=shop.pk, standing="suppressed") == set()


def test_search_finds_words_of_name_and_address(admin):
    make_contact("ann@example.org", first_name="Ann", last_name="Lee")
    make_contact("bob@example.org", first_name="Bob", last_name="Lee")
    assert rows(admin, q="lee") == {"ann", "bob"}
    assert rows(admin, q="Ann Lee") == {"ann"}
    assert rows(admin, q="BOB@example") == {"bob"}
    assert rows(admin, q="nobody") == set()


def test_an_empty_list_tells_the_next_step(admin):
    assert "subscribe form" in admin.get(INDEX).content.decode()


def test_hostile_names_and_values_are_escaped(editor):
    contact = make_contact(first_name=HOSTILE)
    subscribe(contact, make_list(HOSTILE, slug="x"))
    consent = consent_actions.publish_wording(tracking_consent(), language="en", short_text=HOSTILE)
    consent_actions.agree(contact, consent, source=HOSTILE)
    click(contact, f"https://example.com/{HOSTILE}")
    client = editor("view_contact", "change_contact", "delete_contact", "view_activities")
    for url in (INDEX, inspect_url(contact), INDEX + f"edit/{contact.pk}/"):
        html = client.get(url).content.decode()
        assert HOSTILE not in html
        assert "&lt;script&gt;" in html


def test_a_contact_is_added_and_changed(admin):
    fields = {"email": "New@Example.org", "first_name": "Nina", "last_name": "", "language": ""}
    admin.post(INDEX + "new/", fields)
    contact = Contact.objects.get(email="new@example.org")
    admin.post(INDEX + f"edit/{contact.pk}/", {**fields, "do_not_track": "on"})
    contact.refresh_from_db()
    assert contact.do_not_track
    again = admin.post(INDEX + "new/", {**fields, "email": "NEW@example.org"})
    assert "already exists" in again.content.decode()


def test_a_contact_goes_with_consents_while_the_count_stays(admin):
    contact = make_contact(agrees=True)
    subscribe(contact, make_list())
    event = click(contact, "https://example.com/")
    admin.post(INDEX + f"delete/{contact.pk}/")
    assert not Contact.objects.exists()
    event.refresh_from_db()
    assert event.contact is None


def test_the_page_of_a_contact_shows_wording_and_links(editor):
    contact = make_contact("ann@example.org", agrees=True)
    subscribe(contact, make_list("News"))
    click(contact, "https://example.com/shop?x=1")
    click(contact, "https://example.com/scanner", verdict=Verdict.MACHINE)
    wording = contact.consent_records.get().version.short_text
    html = editor("view_contact", "view_activities").get(inspect_url(contact)).content.decode()
    for words in ("News", wording, "https://example.com/shop?x=1", "June news"):
        assert words in html
    assert "https://example.com/scanner" not in html


def test_activities_need_their_own_permission(editor):
    contact = make_contact(agrees=True)
    click(contact, "https://example.com/shop")
    client = editor("view_contact")
    html = client.get(inspect_url(contact)).content.decode()
    assert "https://example.com/shop" not in html
    assert "no permission to see contact activities" in html
    assert client.get(timeline_url(contact)).status_code == 302
    # Nor are those of a contact for somebody who may not see contacts.
    assert editor("view_activities").get(timeline_url(contact)).status_code == 302
    assert editor("view_contact", "view_activities").get(timeline_url(contact)).status_code == 200


def test_the_list_leads_to_all_that_is_known(admin, editor):
    contact = make_contact()
    leads_to = f'<a href="{inspect_url(contact)}"'
    html = " ".join(admin.get(INDEX).content.decode().split())
    assert leads_to in html
    # The form is one step away.
    assert INDEX + f"edit/{contact.pk}/" in html
    html = " ".join(editor("view_contact").get(INDEX).content.decode().split())
    assert leads_to in html
    assert "/edit/" not in html


def test_the_timeline_has_pages_newest_first_and_costs_the_same(admin, queries_of):
    contact = make_contact(agrees=True)
    for number in range(3):
        click(contact, f"https://example.com/{number}")
    few = queries_of(inspect_url(contact)), queries_of(timeline_url(contact))
    last = click(contact, "https://example.com/last")
    Event.objects.bulk_create(
        Event(kind=EventKind.CLICK, contact=contact, mailing=last.mailing, link=last.link)
        for _ in range(60)
    )
    assert (queries_of(inspect_url(contact)), queries_of(timeline_url(contact))) == few
    first = admin.get(inspect_url(contact)).context["feed"]
    assert "https://example.com/0" in admin.get(first.following_url).content.decode()
    assert first.following_url.startswith(inspect_url(contact))


def test_the_timeline_shows_every_kind_with_its_symbol_and_email(admin):
    contact = make_contact("ann@example.org", agrees=True)
    event = click(contact, "https://example.com/shop")
    Event.objects.create(
        kind=EventKind.CONFIRM, contact=contact, recipient_list=make_list("Weekly")
    )
    html = admin.get(timeline_url(contact)).content.decode()
    for words in ("Clicked a link", "#icon-link", "June news", "Weekly", "#icon-check"):
        assert words in html
    viewset = event.mailing.email.snippet_viewset
    address = reverse(viewset.get_url_name("activities"), args=[event.mailing.email_id])
    assert address in html
    # Whose they are is said once, above.
    assert "ann@example.org" not in html


def test_the_timeline_is_narrowed_down_by_kind_and_day(admin):
    contact = make_contact(agrees=True)
    click(contact, "https://example.com/shop")
    old = click(contact, "https://example.com/old")
    Event.objects.filter(pk=old.pk).update(at=datetime(2024, 2, 29, 12, tzinfo=UTC))
    Event.objects.create(kind=EventKind.OPEN, contact=contact, mailing=old.mailing)

    def found(**query) -> list[str]:
        lines = admin.get(inspect_url(contact), query).context["feed"].lines
        return [line.activity.value.text or line.activity.event.kind for line in lines]

    assert found(kind="open") == ["open"]
    assert found(to="2024-02-29") == ["https://example.com/old"]
    assert found(sort="oldest")[0] == "https://example.com/old"
    html = admin.get(inspect_url(contact), {"kind": "open"}).content.decode()
    assert f'data-wei-live="{timeline_url(contact)}?kind=open"' in html


def test_a_contact_without_activities_is_told_what_would_appear(admin):
    assert (
        "if the contact agreed to tracking"
        in admin.get(inspect_url(make_contact())).content.decode()
    )


def test_activities_of_others_stay_with_them(admin):
    click(make_contact(), "https://example.com/shop")
    assert "https://example.com/shop" not in admin.get(inspect_url(make_contact())).content.decode()
