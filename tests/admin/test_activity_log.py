from __future__ import annotations

import pytest
from wagtail.models import ReferenceIndex

from tests.factories import make_contact, make_email, make_list, make_mailing
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink, Verdict

pytestmark = pytest.mark.django_db
INDEX = "/admin/email-insights/activities/"


def make_events(number: int) -> None:
    mailing = make_mailing(make_email("June news"))
    link = TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.com/shop")
    for _ in range(number):
        Event.objects.create(
            kind=EventKind.CLICK, contact=make_contact(), mailing=mailing, link=link
        )


def test_reading_needs_view_activities(editor):
    assert editor("view_event", "view_contact").get(INDEX).status_code == 302
    assert editor("view_activities").get(INDEX).status_code == 200


def test_nobody_adds_changes_or_deletes(admin):
    make_events(1)
    event = Event.objects.get()
    for url in ("create/", f"edit/{event.pk}/", f"delete/{event.pk}/", f"inspect/{event.pk}/"):
        assert admin.get(INDEX + url).status_code in {302, 404}, url
        assert admin.post(INDEX + url).status_code in {302, 404}, url
    assert Event.objects.get() == event
    assert "/edit/" not in admin.get(INDEX).content.decode().split("<table")[1]


def test_shows_who_did_what_and_links_to_the_contact(admin):
    make_events(1)
    contact = Event.objects.get().contact
    html = admin.get(INDEX).content.decode()
    for words in (contact.email, "Clicked a link", "https://example.com/shop", "June news"):
        assert words in html
    assert f"/admin/email-insights/contacts/inspect/{contact.pk}/" in html


def test_a_subscription_shows_its_list(admin):
    Event.objects.create(
        kind=EventKind.CONFIRM, contact=make_contact(), recipient_list=make_list("Weekly")
    )
    assert "Weekly" in admin.get(INDEX).content.decode()


def test_machines_and_nameless_events_are_left_out(admin):
    Event.objects.create(kind=EventKind.OPEN)
    Event.objects.create(
        kind=EventKind.OPEN, contact=make_contact("bot@example.org"), verdict=Verdict.MACHINE
    )
    make_events(1)
    html = admin.get(INDEX).content.decode()
    assert "bot@example.org" not in html
    assert html.count('data-object-pk="') == 1


def test_kind_and_address_narrow_it_down(admin):
    make_events(1)
    Event.objects.create(kind=EventKind.CONFIRM, contact=make_contact("ann@example.org"))
    for query in ({"q": "ann@"}, {"kind__exact": "confirm"}):
        html = admin.get(INDEX, query).content.decode()
        assert html.count('data-object-pk="') == 1
        assert "ann@example.org" in html


def test_costs_the_same_for_3_and_30_events(queries_of):
    make_events(3)
    few = queries_of(INDEX)
    make_events(27)
    assert queries_of(INDEX) == few


def test_hostile_values_are_escaped(admin):
    hostile = "<script>alert(1)</script>"
    contact = make_contact(first_name=hostile)
    Event.objects.create(kind=EventKind.CONFIRM, contact=contact, value=hostile)
    assert "<script>alert(1)" not in admin.get(INDEX).content.decode()


def test_events_stay_out_of_the_reference_index():
    assert not ReferenceIndex.model_is_indexable(Event) or not ReferenceIndex.is_indexed(Event)
