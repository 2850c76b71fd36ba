from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_mailing
from wagtail_email_insights.tracking import links
from wagtail_email_insights.tracking.corrections import (
    AttachmentNotCorrectable,
    BadDestination,
    NotCorrectable,
    SameDestination,
    correct,
    url_at,
    urls_at,
)
from wagtail_email_insights.tracking.models import Event, EventKind, LinkCorrection, TrackedLink

pytestmark = pytest.mark.django_db

WRONG, RIGHT = "https://example.com/wrnog", "https://example.com/right"


@pytest.fixture(autouse=True)
def _no_cached_links():
    links.forget()


@pytest.fixture
def mailing():
    return make_mailing()


def make_link(mailing, position=0, variant=0, url=WRONG, **fields):
    return TrackedLink.objects.create(
        mailing=mailing, position=position, variant=variant, url=url, **fields
    )


def stored(link) -> str:
    return TrackedLink.objects.get(pk=link.pk).url


def test_a_corrected_link_leads_elsewhere_at_once(
    mailing, admin_user, django_capture_on_commit_callbacks
):
    link = make_link(mailing)
    assert links.destination(link.pk).url == WRONG
    with django_capture_on_commit_callbacks(execute=True):
        correction = correct(link, f" {RIGHT} ", user=admin_user)
    assert links.destination(link.pk).url == RIGHT
    assert link.url == RIGHT
    assert (correction.before, correction.after) == (WRONG, RIGHT)
    assert (correction.user, correction.link) == (admin_user, link)


def test_other_links_stay_as_they_are(mailing):
    link, other = make_link(mailing), make_link(mailing, 1, url="https://example.com/other")
    elsewhere = make_link(make_mailing())
    correct(link, RIGHT)
    assert stored(other) == "https://example.com/other"
    assert stored(elsewhere) == WRONG
    assert LinkCorrection.objects.count() == 1


def test_the_same_destination_in_all_variants_is_corrected_together(mailing):
    one, two = make_link(mailing, 0, variant=1), make_link(mailing, 3, variant=2)
    attached = make_link(mailing, 4, variant=2, document_id=5)
    correct(one, RIGHT)
    assert (stored(one), stored(two)) == (RIGHT, RIGHT)
    assert stored(attached) == WRONG
    assert {c.link_id for c in LinkCorrection.objects.all()} == {one.pk, two.pk}
    assert len(set(LinkCorrection.objects.values_list("at", flat=True))) == 1


def test_two_links_that_came_to_lead_to_the_same_page_can_part_again(mailing):
    one, two = make_link(mailing, 0), make_link(mailing, 1, url=RIGHT)
    correct(one, RIGHT)
    correct(one, "https://example.com/third")
    assert (stored(one), stored(two)) == ("https://example.com/third", RIGHT)


def test_what_is_corrected_is_what_is_stored_not_what_was_once_read(mailing):
    link = make_link(mailing)
    stale = TrackedLink.objects.get(pk=link.pk)
    correct(link, RIGHT)
    correction = correct(stale, "https://example.com/third")
    assert correction.before == RIGHT


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "/relative",
        "//example.com/a",
        "mailto:a@example.org",
        "javascript:alert(1)",
        "https://",
        "https://[::1",
        "https://example.com/?for={{ email }}",
    ],
)
def test_an_address_no_click_can_be_led_to_is_refused(mailing, url):
    link = make_link(mailing)
    with pytest.raises(BadDestination):
        correct(link, url)
    assert stored(link) == WRONG
    assert not LinkCorrection.objects.exists()


def test_leading_it_where_it_leads_is_no_correction(mailing):
    with pytest.raises(SameDestination):
        correct(make_link(mailing), WRONG)


def test_an_attachment_is_replaced_on_the_site_instead(mailing):
    with pytest.raises(AttachmentNotCorrectable) as refused:
        correct(make_link(mailing, document_id=5), RIGHT)
    assert isinstance(refused.value, NotCorrectable)
    assert "Replace the file" in str(refused.value)


@pytest.fixture
def history(mailing):
    """A link that led to A, from 1 o'clock to B and since 2 o'clock to C."""
    link = make_link(mailing, url="C")
    noon = timezone.now()
    for hours, before, after in ((2, "B", "C"), (1, "A", "B")):
        LinkCorrection.objects.create(
            link=link, at=noon + timedelta(hours=hours), before=before, after=after
        )
    return link, noon


@pytest.mark.parametrize(
    ("hours", "url"), [(-1, "A"), (0.5, "A"), (1, "B"), (1.5, "B"), (2, "C"), (9, "C")]
)
def test_history_knows_where_a_link_led_at_any_time(history, hours, url):
    link, noon = history
    assert url_at(link, noon + timedelta(hours=hours)) == url
    event = Event.objects.create(
        kind=EventKind.CLICK, mailing=link.mailing, link=link, at=noon + timedelta(hours=hours)
    )
    assert urls_at([event]) == {event.pk: url}


@pytest.mark.parametrize("number", [1, 40])
def test_a_list_costs_two_queries_however_long(history, number, django_assert_num_queries):
    link, noon = history
    plain = make_link(link.mailing, 1, url="D")
    clicks = [
        Event.objects.create(kind=EventKind.CLICK, mailing=link.mailing, link=which, at=noon)
        for which in (link, plain)
        for _ in range(number)
    ]
    opened = Event.objects.create(kind=EventKind.OPEN, mailing=link.mailing)
    events = list(Event.objects.order_by("pk"))
    with django_assert_num_queries(2):
        urls = urls_at(events)
    assert [urls[click.pk] for click in clicks] == ["A"] * number + ["D"] * number
    assert opened.pk not in urls
