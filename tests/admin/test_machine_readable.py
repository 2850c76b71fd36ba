"""Numbers for machines stay what they are where numbers for people are grouped by thousands."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone, translation
from wagtail.users.models import UserProfile

from tests.factories import make_contact, make_email, make_list, subscribe
from tests.statistics.sent import happen, make_link, make_sent
from wagtail_email_insights.mailings.models import Mailing, MailingState
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.statistics.wording import number

pytestmark = pytest.mark.django_db

ROOT = "/admin/email-insights/"
EMAIL, FIRST, SECOND, OTHER, NEWS, SEGMENT, LINK, ANN = range(12_001, 12_009)
STATISTICS = f"{ROOT}emails/statistics/{EMAIL}/"
ACTIVITIES = f"{ROOT}emails/activities/{EMAIL}/"
ATTRIBUTES = ("value", "href", "src", "action", "viewbox", "width", "height", "d", "x", "y")
LIVE = ("data-wei-every", "data-wei-live", "data-wei-once")
GROUPED = re.compile(r"(?<![\d.])\d{1,3}(?:[.,\xa0\u202f]\d{3})+(?!\d)")
DECIMAL_COMMA = re.compile(r"\d,\d")


@pytest.fixture
def world(settings) -> None:
    """An e-mail that went out twice and another one; every key is above ten thousand."""
    settings.USE_THOUSAND_SEPARATOR = True
    settings.WAGTAIL_EMAIL_INSIGHTS = {"refresh_seconds": 1500, "ranking_floor": 1}
    email = make_email(pk=EMAIL)
    news = make_list("News", pk=NEWS)
    Segment.objects.create(pk=SEGMENT, name="Keen", conditions=[])
    ann = make_contact("ann@example.org", pk=ANN, language="de")
    week_ago = timezone.now() - timedelta(days=7)
    subscribe(ann, news)
    news.subscriptions.update(created_at=week_ago - timedelta(days=1))
    for pk in (FIRST, SECOND):
        mailing = make_sent(*["known"] * 60, pk=pk, email=email, started_at=week_ago)
        copy = mailing.deliveries.create(
            contact=ann, state="sent", identified=True, settled_at=week_ago
        )
        link = make_link(mailing, pk=LINK + pk)
        for _ in range(2):
            happen(mailing, "click", copy, link=link, at=week_ago, device="phone")
        happen(mailing, "click", copy, link=link, at=week_ago + timedelta(days=4))
    make_sent("known", pk=OTHER, email=make_email("Other"))


@pytest.fixture
def german(client: Client, settings) -> Client:
    """Somebody who reads the admin in German."""
    settings.WAGTAILADMIN_PERMITTED_LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    user = get_user_model().objects.create_superuser("admin")
    profile = UserProfile.get_for_user(user)
    profile.preferred_language = "de"
    profile.save()
    client.force_login(user)
    return client


PAGES = {
    "statistics": STATISTICS,
    "one mailing": f"{STATISTICS}?mailing={FIRST}&compare={OTHER}",
    "panel": f"{STATISTICS}fragment/?panel",
    "by list": f"{STATISTICS}by/list/",
    "click map": f"{STATISTICS}map/",
    "drill-down": f"{STATISTICS}people/sent/?mailing={FIRST}",
    "its second page": f"{STATISTICS}people/sent/?p=2",
    "activities": ACTIVITIES,
    "chosen activities": f"{ACTIVITIES}?mailing={FIRST}&list={NEWS}",
    "log": f"{ROOT}activities/",
    "e-mails": f"{ROOT}emails/",
    "one e-mail": f"{ROOT}emails/edit/{EMAIL}/",
    "mailing": f"{ROOT}emails/mailing/{FIRST}/",
    "contacts": f"{ROOT}contacts/",
    "contact": f"{ROOT}contacts/inspect/{ANN}/",
    "lists": f"{ROOT}lists/",
    "segments": f"{ROOT}segments/",
    "overview": f"{ROOT}overview/",
    "side by side": f"{ROOT}overview/compare/?mailing={FIRST}&mailing={OTHER}",
    "tracking check": f"{ROOT}tracking-check/",
    "home": "/admin/",
}


@pytest.fixture
def look(german: Client, world: None):
    def look(name: str) -> BeautifulSoup:
        response = german.get(PAGES[name])
        assert response.status_code == 200
        page = BeautifulSoup(response.content, "html.parser")
        return page.find("main") or page

    return look


def test_numbers_for_people_are_grouped(settings):
    settings.USE_THOUSAND_SEPARATOR = True
    with translation.override("de"):
        assert number(12_001) == "12.001"


@pytest.mark.parametrize("name", PAGES)
def test_every_attribute_can_be_read_by_a_machine(look, name):
    values = [
        (element.name, key, value)
        for element in look(name).find_all(True)
        for key, value in element.attrs.items()
        if key in (*ATTRIBUTES, *LIVE) and isinstance(value, str) and element.name != "script"
    ]
    assert values
    assert not [each for each in values if GROUPED.search(each[2])]
    shapes = [each for each in values if each[1] in {"viewbox", "width", "height", "d"}]
    assert not [each for each in shapes if DECIMAL_COMMA.search(each[2])]


@pytest.mark.parametrize(
    ("name", "field", "keys"),
    [
        ("statistics", "mailing", {FIRST, SECOND}),
        ("statistics", "compare", {OTHER}),
        ("activities", "mailing", {FIRST, SECOND}),
        ("activities", "list", {NEWS}),
        ("activities", "segment", {SEGMENT}),
        ("drill-down", "mailing", {FIRST}),
        ("overview", "mailing", {FIRST, SECOND, OTHER}),
    ],
)
def test_what_can_be_chosen_has_its_own_key(look, name, field, keys):
    inputs = look(name).select(f"select[name={field}] option, input[name={field}]")
    assert {each["value"] for each in inputs} - {""} == {str(key) for key in keys}


@pytest.mark.parametrize("name", ["statistics", "activities", "overview", "contact"])
def test_pages_are_refreshed_as_often_as_set(look, world, name):
    Mailing.objects.filter(pk=OTHER).update(state=MailingState.SENDING)
    assert {each["data-wei-every"] for each in look(name).select("[data-wei-every]")} == {"1500"}


def test_charts_have_their_size(look):
    for name, selector in (("statistics", ".wei-chart__shape"), ("overview", ".wei-trend__chart")):
        shapes = look(name).select(selector)
        assert shapes
        assert all(re.fullmatch(r"0 0 \d+ \d+", shape["viewbox"]) for shape in shapes)
