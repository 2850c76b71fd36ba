from __future__ import annotations

import pytest

from tests.factories import make_contact, make_email, make_mailing
from wagtail_email_insights.feedback import actions
from wagtail_email_insights.feedback.models import Reply
from wagtail_email_insights.mailings.models import Delivery

pytestmark = pytest.mark.django_db
INDEX = "/admin/email-insights/replies/"


def reply(text: str = "Gladly!", *, contact=None, title: str = "June news") -> Reply:
    mailing = make_mailing(make_email(title))
    contact = contact or make_contact(first_name="Ann")
    delivery = Delivery.objects.create(mailing=mailing, contact=contact)
    event = actions.record_reply(contact, text=text, subject=f"Re: {title}", delivery=delivery)
    return event.reply


def test_an_editor_without_permission_is_refused(editor):
    client = editor("view_contact", "change_contact")
    for url in (INDEX, INDEX + "results/", INDEX + f"{reply().pk}/"):
        assert client.get(url).status_code == 302, url


def test_view_activities_is_enough(editor):
    client = editor("view_activities")
    for url in (INDEX, INDEX + "results/", INDEX + f"{reply().pk}/"):
        assert client.get(url).status_code == 200, url


def test_the_list_shows_who_wrote_what_about_which_email(admin):
    reply()
    html = admin.get(INDEX).content.decode()
    for words in ("Ann", "Gladly!", "June news"):
        assert words in html


def test_the_list_is_narrowed_to_an_email_or_a_contact(admin):
    june, july = reply(), reply(title="July news")
    by_email = admin.get(INDEX, {"email": july.event.mailing.email_id}).context["object_list"]
    by_contact = admin.get(INDEX, {"contact": june.event.contact_id}).context["object_list"]
    assert (list(by_email), list(by_contact)) == ([july], [june])
    assert len(admin.get(INDEX, {"contact": "x"}).context["object_list"]) == 2
    assert len(admin.get(INDEX, {"q": "July"}).context["object_list"]) == 1


def test_a_reply_is_shown_with_and_without_its_quotation(admin):
    shown = reply("Yes.\n\nOn 20 Nov 2026 News wrote:\n> Will you come?")
    html = admin.get(INDEX + f"{shown.pk}/").content.decode()
    before, after = html.split("<details")
    assert "Yes." in before
    assert "Will you come?" not in before
    assert "Will you come?" in after


@pytest.mark.parametrize("url", [INDEX, INDEX + "{}/"])
def test_hostile_words_are_only_words(admin, url):
    shown = reply("<script>alert(1)</script><img src=x onerror=y> http://evil.example")
    html = admin.get(url.format(shown.pk)).content.decode()
    assert "<script>alert(1)" not in html
    assert "<img src=x" not in html
    assert 'href="http://evil.example' not in html


def test_a_reply_goes_with_its_contact(admin):
    shown = reply()
    shown.event.contact.delete()
    assert admin.get(INDEX + f"{shown.pk}/").status_code == 404
    assert shown.text not in admin.get(INDEX).content.decode()


def test_the_list_costs_the_same_for_3_and_15(queries_of):
    for _ in range(3):
        reply()
    few = queries_of(INDEX)
    for _ in range(12):
        reply()
    assert queries_of(INDEX) == few


def test_an_empty_screen_tells_where_replies_come_from(admin):
    assert "No replies yet" in admin.get(INDEX).content.decode()
