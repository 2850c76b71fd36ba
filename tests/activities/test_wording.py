from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.documents import get_document_model

from tests.factories import make_contact, make_email, make_list, make_mailing
from wagtail_email_insights.activities.queries import everything
from wagtail_email_insights.activities.wording import ICONS, Value, described
from wagtail_email_insights.tracking import corrections
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink, Verdict
from wagtail_email_insights.tracking.reasons import SENTENCES, Reason

pytestmark = pytest.mark.django_db
OLD, NEW = "https://example.com/old", "https://example.com/new"


@pytest.fixture
def mailing():
    return make_mailing(make_email("June news"))


def happened(kind: str, **fields) -> Event:
    return Event.objects.create(kind=kind, contact=make_contact(), **fields)


def value_of(event: Event) -> Value:
    [activity] = described(list(everything().filter(pk=event.pk)))
    return activity.value


def test_every_kind_has_a_symbol_of_its_own():
    assert set(ICONS) == set(EventKind)
    shared = {EventKind.SOFT_BOUNCE, EventKind.HARD_BOUNCE}
    assert len(set(ICONS.values())) >= len(ICONS) - len(shared) + 1


def test_a_click_says_where_it_led_then(mailing):
    link = TrackedLink.objects.create(mailing=mailing, position=0, url=OLD)
    before = happened("click", mailing=mailing, link=link, at=timezone.now() - timedelta(hours=1))
    corrections.correct(link, NEW)
    after = happened("click", mailing=mailing, link=link, at=timezone.now() + timedelta(hours=1))
    assert value_of(before) == Value(OLD, OLD)
    assert value_of(after) == Value(NEW, NEW)


def test_an_attachment_goes_by_the_title_of_its_document(mailing):
    document = get_document_model().objects.create(
        title="Price list", file=ContentFile(b"x", name="prices.pdf")
    )
    link = TrackedLink.objects.create(mailing=mailing, position=0, url=OLD, document_id=document.pk)
    event = happened("download", mailing=mailing, link=link, device="phone")
    assert value_of(event) == Value("Price list", OLD, "Phone")
    document.delete()
    assert value_of(event) == Value(OLD, OLD, "Phone")


def test_who_leaves_says_what_and_why(mailing):
    news = make_list("News")
    event = happened("unsubscribe", mailing=mailing, recipient_list=news, why="too_often")
    assert value_of(event) == Value("News", note="It comes too often")
    event = happened("unsubscribe", recipient_list=news, value="everything")
    assert value_of(event) == Value("from everything")


def test_a_subscription_says_the_list_and_where_it_was_asked_for():
    event = happened("subscribe", recipient_list=make_list("News"), value="form on /start/")
    assert value_of(event) == Value("News", note="form on /start/")


def test_an_event_of_a_list_that_is_gone_says_nothing():
    assert value_of(happened("confirm")) == Value("")


@pytest.mark.parametrize(
    ("verdict", "reason", "doubt"),
    [
        (Verdict.HUMAN, "", ""),
        (Verdict.PROXY, Reason.APPLE_PRIVACY, "Mail service's image proxy"),
        (Verdict.SUSPECTED, Reason.BURST, "Possibly a machine"),
    ],
)
def test_only_a_doubtful_verdict_is_said_with_its_reason(mailing, verdict, reason, doubt):
    event = happened("open", mailing=mailing, verdict=verdict, verdict_reason=reason)
    [activity] = described([event])
    assert activity.doubt == doubt
    assert activity.doubt_reason == (SENTENCES[reason] if doubt else "")


def test_many_cost_as_many_queries_as_one(mailing):
    document = get_document_model().objects.create(
        title="Price list", file=ContentFile(b"x", name="prices.pdf")
    )
    for position in range(12):
        link = TrackedLink.objects.create(
            mailing=mailing, position=position, url=OLD, document_id=document.pk
        )
        happened("download", mailing=mailing, link=link)
    events = list(everything())
    with CaptureQueriesContext(connection) as of_one:
        described(events[:1])
    with CaptureQueriesContext(connection) as of_all:
        assert len(described(events)) == 12
    assert len(of_all) == len(of_one) <= 3
