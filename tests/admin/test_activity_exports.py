from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.db.models import JSONField, Value
from django.urls import reverse
from openpyxl import load_workbook
from wagtail.models import ModelLogEntry

from tests.factories import make_contact, make_email, make_list, make_mailing
from wagtail_email_insights.admin import spreadsheet_responses
from wagtail_email_insights.admin.activity_exports import ACTION
from wagtail_email_insights.admin.activity_feed import EXPORT
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink, Verdict

pytestmark = pytest.mark.django_db
SHOP = "https://example.com/shop"
RIGHTS = ("view_activities", "export_contacts")


@pytest.fixture
def june():
    """Ann clicked and Bob opened June news; Carla subscribed; somebody and a machine clicked."""
    mailing = make_mailing(make_email("June news"), state="sent")
    link = TrackedLink.objects.create(mailing=mailing, position=0, url=SHOP)
    ann, bob, carla = (make_contact(f"{name}@example.org") for name in ("ann", "bob", "carla"))
    for fields in (
        {"kind": EventKind.CLICK, "contact": ann, "mailing": mailing, "link": link},
        {"kind": EventKind.OPEN, "contact": bob, "mailing": mailing},
        {"kind": EventKind.SUBSCRIBE, "contact": carla, "recipient_list": make_list("News")},
        {"kind": EventKind.CLICK, "mailing": mailing, "link": link},
        {
            "kind": EventKind.CLICK,
            "contact": make_contact("bot@example.org"),
            "mailing": mailing,
            "verdict": Verdict.MACHINE,
        },
    ):
        Event.objects.create(**fields)
    return mailing


def export(client, **query):
    return client.get(reverse(EXPORT), {"format": "csv", **query})


def rows_of(response) -> list[list[str]]:
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def people(client, **query) -> list[str]:
    return [row[1].split("@")[0] for row in rows_of(export(client, **query))[1:]]


def test_both_rights_are_needed(editor, june):
    for rights in ((), RIGHTS[:1], RIGHTS[1:], ("view_statistics", "change_contact")):
        assert export(editor(*rights)).status_code == 302, rights
    assert export(editor(*RIGHTS)).status_code == 200


def test_everything_one_email_or_one_contact(admin, june):
    assert people(admin) == ["carla", "bob", "ann"]
    assert people(admin, email=june.email_id) == ["bob", "ann"]
    ann = Event.objects.get(contact__email="ann@example.org").contact
    assert people(admin, contact=ann.pk) == ["ann"]


def test_the_filter_of_the_screen_holds(admin, june):
    assert people(admin, email=june.email_id, kind="click") == ["ann"]
    assert people(admin, q="bob") == ["bob"]
    assert people(admin, sort="oldest") == ["ann", "bob", "carla"]
    assert people(admin, email=june.email_id, link="https://example.com/") == []


def test_the_buttons_of_each_screen_lead_to_what_it_shows(admin, june):
    ann = Event.objects.get(contact__email="ann@example.org").contact
    page = reverse(Email.snippet_viewset.get_url_name("activities"), args=[june.email_id])
    inspect = reverse("email_contacts:inspect", args=[ann.pk])
    for url, query, expected in (
        (page, {"kind": "open"}, ["bob"]),
        (inspect, {"kind": "click"}, ["ann"]),
        ("/admin/email-insights/activities/", {"kind": "subscribe"}, ["carla"]),
    ):
        exports = admin.get(url, query).context["exports"]
        assert set(exports) == {"csv", "xlsx"}
        assert exports["csv"].replace("&", "&amp;") in admin.get(url, query).content.decode()
        assert [row[1].split("@")[0] for row in rows_of(admin.get(exports["csv"]))[1:]] == expected


def test_who_may_not_export_is_offered_none(editor, june):
    page = reverse(Email.snippet_viewset.get_url_name("activities"), args=[june.email_id])
    client = editor("view_activities")
    for url in (page, "/admin/email-insights/activities/"):
        assert reverse(EXPORT) not in client.get(url).content.decode()


def test_nobody_without_a_name_and_no_machine_is_in_it(admin, june):
    assert len(rows_of(export(admin))) == 1 + 3
    assert "bot" not in people(admin)


def test_a_workbook_holds_the_same(admin, june):
    response = export(admin, format="xlsx")
    assert response["Content-Disposition"] == 'attachment; filename="contact-activities.xlsx"'
    [sheet] = load_workbook(io.BytesIO(b"".join(response))).worksheets
    rows = list(sheet.values)
    assert list(rows[0]) == rows_of(export(admin))[0]
    assert [row[1] for row in rows[1:]] == [f"{name}@example.org" for name in people(admin)]


def test_a_long_table_goes_on_on_the_next_sheet(admin, june, monkeypatch):
    monkeypatch.setattr(spreadsheet_responses, "ROWS_ON_SHEET", 2)
    sheets = load_workbook(io.BytesIO(b"".join(export(admin, format="xlsx")))).worksheets
    assert [len(list(sheet.values)) for sheet in sheets] == [1 + 2, 1 + 1]


def test_an_empty_table_has_its_heading(admin):
    for file_format in ("csv", "xlsx"):
        response = export(admin, format=file_format)
        assert response.status_code == 200
        assert b"".join(response)
    assert len(rows_of(export(admin))) == 1


@pytest.mark.parametrize("hostile", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1"])
def test_no_cell_runs_as_a_formula(admin, june, hostile):
    Event.objects.update(value=hostile, link=None)
    make = {"first_name": hostile, "last_name": hostile}
    Event.objects.create(kind=EventKind.REPLY, contact=make_contact(**make), value=hostile)
    for row in rows_of(export(admin)):
        assert not [cell for cell in row if cell.lstrip("\t")[:1] in "=+-@" and cell], row
    sheet = load_workbook(io.BytesIO(b"".join(export(admin, format="xlsx")))).active
    assert not [cell for row in sheet for cell in row if cell.data_type == "f"]


def test_the_log_says_who_took_what(admin, june):
    export(admin, email=june.email_id, kind="click")
    export(admin)
    ann = Event.objects.get(contact__email="ann@example.org").contact
    export(admin, contact=ann.pk)
    entries = ModelLogEntry.objects.filter(action=ACTION).order_by("pk")
    assert [entry.object_id for entry in entries] == [
        str(june.email_id),
        str(entries[0].user_id),
        str(ann.pk),
    ]
    assert entries[0].data == {"format": "csv", "filter": "kind=click"}
    assert entries[0].message == "Contact activities exported"
    assert admin.get("/admin/reports/site-history/").status_code == 200


def test_the_log_keeps_no_address_that_was_searched_for(admin, june):
    export(admin, q="ann@example.org")
    assert "ann" not in str(ModelLogEntry.objects.get(action=ACTION).data)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_files_speak_the_language_of_who_asks_and_know_their_clock(admin, june, file_format):
    from wagtail.users.models import UserProfile

    profile = UserProfile.get_for_user(june_reader(admin))
    profile.preferred_language, profile.current_time_zone = "de", "Asia/Tokyo"
    profile.save()
    Event.objects.update(at=datetime(2026, 3, 1, 20, 0, tzinfo=UTC))
    response = export(admin, format=file_format)
    if file_format == "csv":
        assert all("2026-03-02T05:00" in str(row) for row in rows_of(response)[1:])
    else:
        page = load_workbook(io.BytesIO(b"".join(response))).active
        assert {row[0].value for row in list(page.rows)[1:]} == {datetime(2026, 3, 2, 5)}


def june_reader(client):
    return get_user_model().objects.get(pk=client.session["_auth_user_id"])


def test_nothing_is_logged_for_what_was_refused(editor, june):
    export(editor("view_activities"))
    assert not ModelLogEntry.objects.filter(action=ACTION).exists()


@pytest.mark.parametrize(
    "query",
    [
        {"format": "pdf"},
        {"format": ""},
        {"email": "4711"},
        {"email": "x"},
        {"contact": "9" * 30},
        {"contact": "-1"},
    ],
)
def test_what_is_not_there_is_404(admin, june, query):
    assert export(admin, **query).status_code == 404


def test_a_segment_nobody_can_tell_is_404(admin, june):
    segment = Segment.objects.create(name="Old")
    # Past the field, which would drop a condition that is not registered.
    stored = Value([{"type": "gone", "value": {}}], JSONField())
    Segment.objects.filter(pk=segment.pk).update(conditions=stored)
    assert export(admin, segment=segment.pk).status_code == 404
