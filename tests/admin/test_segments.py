from __future__ import annotations

import json

import pytest
from django.db.models import JSONField, Value

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.tracking.models import Event, EventKind

pytestmark = pytest.mark.django_db
INDEX = "/admin/email-insights/segments/"


def on_list(recipient_list) -> list[dict]:
    value = {"negate": False, "recipient_list": recipient_list.pk}
    return [{"type": "on_list", "value": value}]


def make_segment(rules: list[dict] | None = None, name: str = "Readers") -> Segment:
    segment = Segment.objects.create(name=name)
    # Past the field, which would drop a condition that is not registered.
    stored = Value(rules or [], JSONField())
    Segment.objects.filter(pk=segment.pk).update(conditions=stored)
    return Segment.objects.get(pk=segment.pk)


def edit_url(segment: Segment) -> str:
    return f"{INDEX}edit/{segment.pk}/"


def members_url(segment: Segment) -> str:
    return f"{INDEX}{segment.pk}/members/"


@pytest.fixture
def readers() -> Segment:
    news = make_list("News")
    for number in range(12):
        subscribe(make_contact(f"reader{number}@example.org"), news)
    make_contact("stranger@example.org")
    return make_segment(on_list(news))


def test_an_editor_without_permission_is_refused(editor, readers):
    client = editor("view_contact")
    for url in (INDEX, edit_url(readers), members_url(readers)):
        assert client.get(url).status_code == 302, url


def test_members_are_shown_only_to_those_who_may_see_contacts(editor, readers):
    client = editor("change_segment")
    html = client.get(edit_url(readers)).content.decode()
    assert "12 contacts are in this segment" in html
    assert "reader1@example.org" not in html
    assert client.get(members_url(readers)).status_code == 302


def test_the_form_tells_the_rule_the_number_and_a_few_members(admin, readers):
    html = admin.get(edit_url(readers)).content.decode()
    assert "In it is everybody who is subscribed to “News”." in html
    assert "12 contacts are in this segment" in html
    assert html.count("@example.org") == 10
    assert members_url(readers) in html


def test_members_are_paged_searched_and_filtered(admin, readers):
    url = members_url(readers)
    assert admin.get(url).context["paginator"].count == 12
    (found,) = admin.get(url, {"q": "reader11"}).context["object_list"]
    assert found.email == "reader11@example.org"
    assert not admin.get(url, {"q": "stranger"}).context["object_list"]
    assert admin.get(url + "results/", {"known": "no"}).context["paginator"].count == 12


def test_a_segment_of_nobody_says_so(admin):
    assert "Nobody fulfils the rule" in admin.get(members_url(make_segment())).content.decode()
    assert "nobody is in it" in admin.get(edit_url(make_segment())).content.decode()


def test_a_removed_condition_is_told_on_every_screen(admin):
    make_contact("ann@example.org")
    segment = make_segment([{"type": "gone_condition", "value": {}}])
    for url in (INDEX, edit_url(segment), members_url(segment)):
        html = admin.get(url).content.decode()
        assert "gone_condition" in html, url
        assert "ann@example.org" not in html


def test_the_list_costs_the_same_for_3_and_15_segments(queries_of):
    email, news = make_email(), make_list()
    click = {"negate": False, "link_match": "any", "email": email.pk}
    rule = [*on_list(news), {"type": "clicked_link", "value": click}]
    for _ in range(3):
        make_segment(rule)
    few = queries_of(INDEX)
    for _ in range(12):
        make_segment(rule)
    assert queries_of(INDEX) == few


def test_members_cost_the_same_for_3_and_12_rows(queries_of, readers):
    few = queries_of(members_url(readers) + "?q=reader1")
    assert queries_of(members_url(readers)) == few


def test_saving_stays_on_the_form_with_the_new_number(admin):
    news = make_list()
    subscribe(make_contact(), news)
    fields = {
        "name": "Readers",
        "description": "",
        "match": "all",
        "conditions-count": "1",
        "conditions-0-deleted": "",
        "conditions-0-order": "0",
        "conditions-0-type": "on_list",
        "conditions-0-id": "",
        "conditions-0-value-negate": "no",
        "conditions-0-value-recipient_list": str(news.pk),
    }
    html = admin.post(INDEX + "new/", fields, follow=True).content.decode()
    assert "1 contact is in this segment" in html
    segment = Segment.objects.get()
    stored = json.loads(json.dumps(segment.conditions.get_prep_value()))
    assert stored[0]["value"] == {"negate": False, "recipient_list": news.pk}
    turned = {**fields, "conditions-0-value-negate": "yes"}
    html = admin.post(edit_url(segment), turned, follow=True).content.decode()
    assert "0 contacts are in this segment" in html


def test_an_empty_screen_tells_the_next_step(admin):
    assert "Add the first segment" in admin.get(INDEX).content.decode()


def test_hostile_names_are_escaped(admin):
    hostile = "<script>alert(1)</script>"
    news = make_list(hostile, slug="x")
    subscribe(make_contact(first_name=hostile), news)
    segment = make_segment(on_list(news), name=hostile)
    for url in (INDEX, edit_url(segment), members_url(segment)):
        assert "<script>alert(1)" not in admin.get(url).content.decode()


@pytest.mark.parametrize("grouped", [False, True])
def test_who_clicked_is_only_for_those_who_may_see_activities(editor, grouped):
    mailing = make_mailing()
    contact = make_contact("secret@example.org")
    Event.objects.create(kind=EventKind.CLICK, mailing=mailing, contact=contact)
    rule = [{"type": "clicked_link", "value": {"negate": False, "link_match": "any"}}]
    if grouped:
        value = {"match": "any", "negate": False, "conditions": rule}
        rule = [{"type": "group", "value": value}]
    segment = make_segment(rule)
    client = editor("change_segment", "view_contact")
    html = client.get(edit_url(segment)).content.decode()
    assert "1 contact is in this segment" in html
    assert "secret@example.org" not in html
    for url in (members_url(segment), members_url(segment) + "results/"):
        assert client.get(url).status_code == 302
    client = editor("change_segment", "view_contact", "view_activities")
    for url in (members_url(segment), edit_url(segment)):
        assert "secret@example.org" in client.get(url).content.decode()
