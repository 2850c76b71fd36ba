from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup

from tests.admin.statistics_world import (
    address,
    happen,
    link_of,
    machine_clicks,
    readers,
    send,
    text_of,
)
from tests.factories import make_contact, make_email, make_list, subscribe
from tests.statistics.sent import copies_of, make_link, make_sent
from tests.statistics.sent import happen as store
from wagtail_email_insights.consents import actions as consents
from wagtail_email_insights.consents.models import Consent
from wagtail_email_insights.contacts import actions as contacts
from wagtail_email_insights.contacts.models import (
    Contact,
    RecipientList,
    Subscription,
    SubscriptionStatus,
    SuppressionReason,
)
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings import audience
from wagtail_email_insights.mailings.models import Mailing
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.segments.queries import contacts_in
from wagtail_email_insights.tracking import totals
from wagtail_email_insights.tracking.models import (
    Device,
    Event,
    EventKind,
    LeavingReason,
    MailingTotals,
)

pytestmark = pytest.mark.django_db

MAY_ALL = ("view_activities", "add_segment", "add_recipientlist", "change_contact", "add_email")


@pytest.fixture
def mailing():
    return send(None, readers())


def people(client, mailing, code: str, **query) -> str:
    text = urlencode(query, doseq=True)
    return text_of(client.get(f"{address('people', mailing.email_id, code)}?{text}"))


def make(client, mailing, code: str, what: str, name: str = "Hot", **query):
    url = address("people_make", mailing.email_id, code)
    return client.post(f"{url}?{urlencode(query, doseq=True)}", {"make": what, "name": name})


@pytest.fixture
def crowd():
    """Three who may be known among many who may not."""
    news = readers()
    for number in range(5):
        subscribe(make_contact(f"other{number}@example.org"), news)
    return send(None, news)


def test_it_names_those_who_may_be_known_and_counts_the_others(admin_client, crowd):
    happen(crowd, "ann")
    happen(crowd, "dan")
    happen(crowd, "eve")
    html = people(admin_client, crowd, "clicked")
    assert "<strong>1</strong> contact who may be known" in html
    assert "and <strong>2</strong> anonymous copies" in html
    assert "ann@example.org" in html
    assert "dan@example.org" not in html
    assert "Nobody can name the anonymous ones" in html
    of_device = people(admin_client, crowd, "clicked", device="phone")
    assert "and <strong>2</strong> anonymous copies" in of_device
    assert "Nobody can name the anonymous ones" in of_device


def test_in_a_small_group_it_says_that_somebody_could_guess(admin_client, mailing):
    happen(mailing, "dan")
    html = people(admin_client, mailing, "clicked")
    assert "and <strong>1</strong> anonymous copy" in html
    assert "somebody could guess who it was" in html
    assert "Nobody can name" not in html


@pytest.mark.parametrize("who", ["ann", "dan"])
def test_of_a_part_it_does_not_say_how_many_of_a_small_group(admin_client, mailing, who):
    """Neither that it was one of them, nor that it was none."""
    happen(mailing, who, client="thunderbird")
    url = address("people", mailing.email_id, "clicked")
    for part in ("device=phone", "client=thunderbird", f"link={link_of(mailing).pk}"):
        html = text_of(admin_client.get(f"{url}?{part}"))
        assert "and fewer than <strong>5</strong> anonymous copies" in html
        assert "somebody could guess who did what" in html
        assert "Nobody can name" not in html
        assert "nobody behind this number" not in html


def test_everybody_may_be_known_where_everybody_agreed(admin_client):
    news = make_list("News")
    subscribe(make_contact("ann@example.org", agrees=True), news)
    mailing = send(None, news)
    happen(mailing, "ann")
    html = people(admin_client, mailing, "clicked", device="phone")
    assert "<strong>1</strong> contact who may be known</p>" in html
    assert "guess" not in html


@pytest.fixture
def forgotten(mailing):
    happen(mailing, "ann")
    Event.objects.filter(mailing=mailing).delete()
    totals.totals_of([mailing.pk])
    MailingTotals.objects.update_or_create(
        pk=mailing.pk, defaults={"events_removed_at": datetime(2026, 5, 3, 12, 0, tzinfo=UTC)}
    )
    return mailing


@pytest.mark.parametrize("code", ["clicked", "not_clicked", "not_opened", "delivered", "bounced"])
def test_where_events_were_deleted_it_says_so_and_offers_nothing(admin_client, forgotten, code):
    html = people(admin_client, forgotten, code)
    assert "The single events were deleted on May 3, 2026" in html
    assert "@example.org" not in html
    assert "anonymous" not in html
    assert "Nobody can name" not in html
    assert "nobody behind this number" not in html
    assert "Go on with these contacts" not in html
    for what in ("segment", "list", "email"):
        assert make(admin_client, forgotten, code, what).status_code == 404
    assert not Segment.objects.exists()
    assert RecipientList.objects.count() == 1


def test_where_events_were_deleted_breakdowns_count_copies_only(admin_client, forgotten):
    part = text_of(admin_client.get(address("statistics_part", forgotten.email_id, "list")))
    assert "The single events were deleted on May 3, 2026" in part
    assert "May be known" in part
    assert "Clicked" not in part
    assert "ann@" in people(admin_client, forgotten, "sent")


def test_whoever_takes_the_consent_back_is_named_no_more(admin_client, mailing):
    happen(mailing, "ann")
    assert "ann@example.org" in people(admin_client, mailing, "clicked")
    ann = Contact.objects.get(email="ann@example.org")
    consents.withdraw(ann, Consent.objects.get(code="tracking"), source="test")
    html = people(admin_client, mailing, "clicked")
    assert "ann@example.org" not in html
    assert "<strong>1</strong> anonymous copy" in html


def test_nobody_is_named_for_what_a_machine_did(admin_client, mailing):
    machine_clicks(mailing, "ann")
    html = people(admin_client, mailing, "clicked", scope="everything")
    assert "ann@" not in html
    assert "Copies that only a machine has touched are among them" in html
    happen(mailing, "dan")
    assert "only a machine" not in people(admin_client, mailing, "clicked")


def test_an_hour_and_a_day_have_people_of_their_own(admin_client, mailing):
    happen(mailing, "ann")
    happen(mailing, "ann", at=mailing.started_at + timedelta(hours=3))
    happen(mailing, "ben", at=mailing.started_at + timedelta(days=9))
    statistics = admin_client.get(address("statistics", mailing.email_id)).content
    tables = BeautifulSoup(statistics, "html.parser").select("[id^=wei-time-] table")
    named = []
    for table in tables:
        for row in table.select("tbody tr"):
            opened, clicked = (cell.a for cell in row.select("td"))
            assert bool(opened) == bool(clicked)
            if clicked:
                html = text_of(admin_client.get(clicked["href"]))
                assert "First time" in html
                named.append([who for who in ("ann", "ben") if f"{who}@example.org" in html])
    assert named == [["ann"], ["ann"], ["ben"]]


@pytest.mark.parametrize("query", ["hour=x", "day=2026-02-30", "day=9999-12-31", "hour=2026-01-01"])
def test_an_hour_or_a_day_that_there_is_not_is_not_found(admin_client, mailing, query):
    looked_at, made_of = (
        f"{address(name, mailing.email_id, 'clicked')}?{query}"
        for name in ("people", "people_make")
    )
    assert admin_client.get(looked_at).status_code == 404
    assert admin_client.post(made_of, {"make": "list", "name": "x"}).status_code == 404


def test_a_part_that_nobody_counted_is_not_found(admin_client, mailing):
    for code in ("not_clicked", "delivered"):
        url = f"{address('people', mailing.email_id, code)}?device=phone"
        assert admin_client.get(url).status_code == 404


def test_one_link_and_one_device_have_people_of_their_own(admin_client, mailing):
    happen(mailing, "ann", device=Device.PHONE)
    happen(mailing, "ben", link=link_of(mailing, 1), device=Device.DESKTOP)
    of_link = people(admin_client, mailing, "clicked", link=link_of(mailing, 1).pk)
    assert of_link.count(link_of(mailing, 1).url.replace("&", "&amp;")) == 2
    assert "ben@" in of_link
    assert "ann@" not in of_link
    assert link_of(mailing, 1).url in of_link
    of_device = people(admin_client, mailing, "clicked", device="phone")
    assert "ann@" in of_device
    assert "ben@" not in of_device
    assert "Device: Phone" in of_device


def test_who_left_for_a_reason_can_be_asked_for(admin_client, mailing):
    happen(mailing, "ann", EventKind.UNSUBSCRIBE, why=LeavingReason.TOO_OFTEN)
    happen(mailing, "ben", EventKind.UNSUBSCRIBE, why=LeavingReason.OTHER)
    html = people(admin_client, mailing, "unsubscribed", why="too_often")
    assert "ann@" in html
    assert "ben@" not in html


def test_a_list_and_a_language_have_people_of_their_own(admin_client, mailing):
    news = RecipientList.objects.get(name="News")
    ann = Contact.objects.get(email="ann@example.org")
    ann.language = "de"
    ann.save()
    happen(mailing, "ann")
    happen(mailing, "ben")
    of_list = people(admin_client, mailing, "clicked", list=news.pk)
    assert "List: News" in of_list
    assert "ann@" in of_list
    assert "ben@" in of_list
    of_language = people(admin_client, mailing, "clicked", language="de")
    assert "Language: German" in of_language
    assert "ben@" not in of_language
    assert "<strong>3</strong>" in people(admin_client, mailing, "identified", list=news.pk)


def test_the_members_of_a_segment_are_for_those_who_may_see_contacts(editor, mailing):
    happen(mailing, "ann")
    rule = [("clicked_link", {"link_match": "any", "email": mailing.email})]
    segment = Segment.objects.create(name="Keen", conditions=rule)
    url = f"{address('people', mailing.email_id, 'clicked')}?segment={segment.pk}"
    part = address("statistics_part", mailing.email_id, "segment")
    may = editor("view_statistics", "view_activities", "view_contact")
    assert "ann@" in text_of(may.get(url))
    assert "/people/clicked/" in text_of(may.get(part))
    may_not = editor("view_statistics", "view_activities")
    assert may_not.get(url).status_code == 302
    assert "/people/" not in text_of(may_not.get(part))


def test_what_became_of_a_copy_needs_nobodys_consent(admin_client, mailing):
    html = people(admin_client, mailing, "sent")
    assert "<strong>5</strong> contacts" in html
    assert "who may be known" not in html
    assert "eve@" in html
    Contact.objects.get(email="eve@example.org").delete()
    assert "are no longer stored" in people(admin_client, mailing, "sent")


def test_the_suggested_name_says_which_part_is_meant(admin_client, mailing):
    happen(mailing, "ann")
    html = people(admin_client, mailing, "clicked", device="phone")
    assert "”, Device: Phone" in html


def test_a_link_of_another_email_is_not_looked_into(admin_client, mailing):
    other = send(make_email("Other"), mailing.recipient_lists.get())
    happen(other, "ann")
    url = address("people", mailing.email_id, "clicked")
    assert admin_client.get(f"{url}?link={link_of(other).pk}").status_code == 404


def test_a_destination_of_ever_so_many_mailings_has_all_its_contacts_and_a_short_address(
    admin_client, mailing
):
    """Each mailing and each variant has a link of its own to the same place."""
    happen(mailing, "ann")
    url = link_of(mailing).url
    for _ in range(250):
        make_link(make_sent(email=mailing.email), url)
    last = make_sent("known", email=mailing.email)
    [copy] = copies_of(last)
    store(last, "click", copy, link=make_link(last, url))
    html = text_of(admin_client.get(address("statistics", mailing.email_id)))
    [way] = set(re.findall(r'href="([^"]*/people/clicked/[^"]*link=[^"]*)"', html))
    assert len(way) < 200
    shown = text_of(admin_client.get(unescape(way)))
    assert "<strong>2</strong> contacts who may be known" in shown
    assert copy.contact.email in shown


@pytest.mark.parametrize(
    "code", ["sent", "delivered", "opened", "clicked", "not_clicked", "viewed"]
)
def test_every_figure_leads_somewhere(admin_client, mailing, code):
    assert admin_client.get(address("people", mailing.email_id, code)).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "device=%00",
        "variant=x",
        "client=-",
        "p=x",
        "q=%00",
        "why=-",
    ],
)
def test_nonsense_in_the_address_breaks_nothing(admin_client, mailing, query):
    url = address("people", mailing.email_id, "clicked")
    assert admin_client.get(f"{url}?{query}").status_code == 200


@pytest.mark.parametrize(
    ("code", "query"),
    [
        ("clicked", "link=x"),
        ("clicked", "link=99999999999999999999"),
        ("clicked", "list=x"),
        ("clicked", "list=99"),
        ("clicked", "segment=99"),
        ("bounced", "language=de"),
        ("identified", ""),
    ],
)
def test_rows_that_do_not_exist_are_not_found(admin_client, mailing, code, query):
    url = address("people", mailing.email_id, code)
    assert admin_client.get(f"{url}?{query}").status_code == 404


def test_an_unknown_figure_and_an_unsent_email_are_not_found(admin_client, mailing):
    assert admin_client.get(address("people", mailing.email_id, "nonsense")).status_code == 404
    assert admin_client.get(address("people", make_email().pk, "clicked")).status_code == 404


def test_long_lists_come_by_page_and_can_be_searched(admin_client, mailing):
    news = make_list("Many")
    for number in range(60):
        subscribe(make_contact(f"reader{number:02}@example.org"), news)
    many = send(make_email("Many"), news)
    first = people(admin_client, many, "sent")
    assert "Page 1 of 2" in first
    assert "reader00@" in first
    assert "reader59@" not in first
    assert "reader59@" in people(admin_client, many, "sent", p=2)
    found = people(admin_client, many, "sent", q="reader59")
    assert "reader59@" in found
    assert "reader58@" not in found


def test_the_list_of_people_costs_the_same_for_many(queries_of, mailing):
    url = address("people", mailing.email_id, "clicked")
    happen(mailing, "ann")
    few = queries_of(url)
    for name in ("ben", "cleo", "dan"):
        happen(mailing, name)
    assert queries_of(url) == few


def test_it_needs_the_permission_for_activities(editor, mailing):
    client = editor("view_statistics", "view_contact")
    assert client.get(address("people", mailing.email_id, "clicked")).status_code == 302
    assert make(client, mailing, "clicked", "list").status_code == 302
    assert not RecipientList.objects.exclude(name="News").exists()


def test_a_segment_is_made_in_one_step_and_follows_the_clicks(admin_client, mailing):
    happen(mailing, "ann")
    happen(mailing, "ben", link=link_of(mailing, 1))
    answer = make(admin_client, mailing, "clicked", "segment", link=link_of(mailing).pk)
    segment = Segment.objects.get(name="Hot")
    assert str(segment.pk) in answer["Location"]
    assert admin_client.get(answer["Location"]).status_code == 200
    assert [contact.email for contact in contacts_in(segment)] == ["ann@example.org"]
    happen(mailing, "cleo")
    assert contacts_in(segment).count() == 2


def test_a_segment_of_any_click_in_the_email(admin_client, mailing):
    happen(mailing, "ann")
    happen(mailing, "ben", link=link_of(mailing, 1))
    make(admin_client, mailing, "clicked", "segment")
    assert contacts_in(Segment.objects.get()).count() == 2


@pytest.mark.parametrize(("code", "query"), [("opened", {}), ("clicked", {"device": "phone"})])
def test_no_segment_is_offered_where_no_rule_says_the_same(admin_client, mailing, code, query):
    happen(mailing, "ann")
    assert "Make a segment" not in people(admin_client, mailing, code, **query)
    assert make(admin_client, mailing, code, "segment", **query).status_code == 404
    assert not Segment.objects.exists()


def test_a_list_holds_only_those_who_get_mail_already(admin_client, mailing):
    for name in ("ann", "ben", "cleo"):
        happen(mailing, name)
    happen(mailing, "dan")
    contacts.suppress("ben@example.org", SuppressionReason.MANUAL)
    cleo = Contact.objects.get(email="cleo@example.org")
    contacts.unsubscribe(cleo, RecipientList.objects.all())
    assert "1 contact can be written to" in people(admin_client, mailing, "clicked")

    make(admin_client, mailing, "clicked", "list")
    made = RecipientList.objects.get(name="Hot")
    [subscription] = made.subscriptions.all()
    assert subscription.contact.email == "ann@example.org"
    assert subscription.status == SubscriptionStatus.SUBSCRIBED
    assert subscription.source == "Statistics of “June news”: Clicked"
    # Nobody's standing elsewhere has changed.
    left = Subscription.objects.get(contact=cleo)
    assert left.status == SubscriptionStatus.UNSUBSCRIBED


def test_two_lists_of_the_same_name_both_get_a_code(admin_client, mailing):
    happen(mailing, "ann")
    make(admin_client, mailing, "clicked", "list")
    RecipientList.objects.update(name="Hot!")
    make(admin_client, mailing, "clicked", "list")
    slugs = RecipientList.objects.values_list("slug", flat=True)
    assert {"hot", "hot-2"} <= set(slugs)


@pytest.mark.parametrize("what", ["list", "email"])
def test_a_second_list_of_a_name_is_refused(admin_client, mailing, what):
    happen(mailing, "ann")
    make(admin_client, mailing, "clicked", "list")
    answer = make(admin_client, mailing, "clicked", what)
    assert RecipientList.objects.filter(name="Hot").count() == 1
    assert "a list of this name already" in admin_client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("kind", ["unsubscribe", "complaint"])
def test_of_those_who_want_no_mail_no_list_is_made(admin_client, mailing, kind):
    happen(mailing, "ann", EventKind(kind))
    code = {"unsubscribe": "unsubscribed", "complaint": "complained"}[kind]
    html = admin_client.get(address("people", mailing.email_id, code)).content.decode()
    assert "No list is made of these contacts" in html
    assert 'name="make"' not in html
    lists = RecipientList.objects.count()
    for what in ("list", "email"):
        assert make(admin_client, mailing, code, what).status_code == 404
    assert RecipientList.objects.count() == lists


def test_writing_to_them_begins_a_new_email_with_that_audience(admin_client, mailing):
    happen(mailing, "ann")
    happen(mailing, "dan")
    answer = make(admin_client, mailing, "clicked", "email")
    email = Email.objects.get(title="Hot")
    assert answer["Location"] == address("edit", email.pk)
    assert admin_client.get(answer["Location"]).status_code == 200
    draft = Mailing.objects.get(email=email)
    assert audience.numbers(draft).due == 1
    send_page = text_of(admin_client.get(address("send", email.pk)))
    chosen = RecipientList.objects.get(name="Hot")
    assert f'name="recipient_lists" value="{chosen.pk}"' in send_page
    assert not draft.has_started


@pytest.mark.parametrize(
    ("what", "lacking"),
    [
        ("segment", "add_segment"),
        ("list", "change_contact"),
        ("email", "send_email"),
    ],
)
def test_each_step_needs_its_permission(editor, mailing, what, lacking):
    happen(mailing, "ann")
    client = editor(*{*MAY_ALL, "send_email"} - {lacking})
    assert f'value="{what}"' not in people(client, mailing, "clicked")
    make(client, mailing, "clicked", what)
    assert not Segment.objects.exists()
    assert not RecipientList.objects.filter(name="Hot").exists()
    assert Email.objects.count() == 1


def test_looking_makes_nothing(admin_client, mailing):
    url = address("people_make", mailing.email_id, "clicked")
    assert admin_client.get(url).status_code == 405


def test_a_name_is_asked_for(admin_client, mailing):
    happen(mailing, "ann")
    answer = make(admin_client, mailing, "clicked", "list", name="")
    assert answer["Location"].startswith(address("people", mailing.email_id, "clicked"))
    assert RecipientList.objects.count() == 1
