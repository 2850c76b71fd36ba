from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.activities.filters import ActivityFilter
from wagtail_email_insights.contacts.models import SubscriptionStatus
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink, Verdict

SHOP = "https://example.com/shop?a=1&b=2"


def read(query: str) -> ActivityFilter:
    return ActivityFilter.from_query(QueryDict(query))


def test_nothing_chosen_is_everything_newest_first():
    chosen = read("")
    assert chosen == ActivityFilter()
    assert not chosen.narrows
    assert chosen.to_query() == ""


def test_the_order_alone_leaves_nothing_out():
    assert read("sort=oldest").oldest_first
    assert not read("sort=oldest").narrows


filters = st.builds(
    ActivityFilter,
    kinds=st.sets(st.sampled_from(EventKind.values)).map(
        lambda kinds: tuple(kind for kind in EventKind.values if kind in kinds)
    ),
    verdicts=st.sampled_from([(), ("human",), ("suspected", "proxy")]),
    mailing=st.none() | st.integers(1, 2**63 - 1),
    recipient_list=st.none() | st.integers(1, 2**63 - 1),
    segment=st.none() | st.integers(1, 2**63 - 1),
    link=st.text(max_size=50).map(lambda text: text.replace("\0", "").strip()),
    search=st.text(max_size=50).map(lambda text: text.replace("\0", "").strip()),
    since=st.none() | st.dates(date(1970, 1, 1), date(2999, 12, 31)),
    until=st.none() | st.dates(date(1970, 1, 1), date(2999, 12, 31)),
    oldest_first=st.booleans(),
)


@given(chosen=filters)
def test_a_filter_is_read_as_it_was_written(chosen):
    assert read(chosen.to_query()) == chosen


@given(
    query=st.dictionaries(
        st.sampled_from(["kind", "link", "list", "segment", "mailing", "from", "to", "q", "sort"]),
        st.text(max_size=30),
    )
)
def test_no_address_is_an_error(query):
    written = QueryDict(mutable=True)
    written.update(query)
    ActivityFilter.from_query(written)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("kind=nonsense&kind=click", ("kind",)),
        ("verdict=machine", ("verdict",)),
        ("list=x&segment=-1&mailing=" + "9" * 40, ("list", "segment", "mailing")),
        ("from=yesterday&to=0001-01-01", ("from", "to")),
        ("from=9999-12-31", ("from",)),
        ("sort=backwards", ("sort",)),
    ],
)
def test_what_cannot_be_understood_is_left_out_and_named(query, named):
    chosen = read(f"{query}&q=ann")
    assert chosen.unreadable == named
    assert chosen == ActivityFilter(search="ann", unreadable=named)


def test_a_nul_is_dropped():
    assert read("q=a%00nn").search == "ann"


@pytest.fixture
def world(db):
    """Ann clicks the shop and leaves, Bob clicks elsewhere and opens through a proxy."""
    news = make_list("News")
    ann = make_contact("ann@example.org", first_name="Ann", last_name="Lee")
    bob = make_contact("bob@example.org", last_name="Lee")
    subscribe(ann, news, SubscriptionStatus.UNSUBSCRIBED)
    mailing = make_mailing(make_email())
    shop = TrackedLink.objects.create(mailing=mailing, position=0, url=SHOP)
    other = TrackedLink.objects.create(mailing=mailing, position=1, url="https://example.com/")

    def at(day: int, hour: int = 12) -> datetime:
        return datetime(2026, 6, day, hour, tzinfo=UTC)

    for fields in (
        {"contact": ann, "kind": "click", "link": shop, "at": at(1, 0), "value": "shop"},
        {"contact": ann, "kind": "unsubscribe", "at": at(2), "recipient_list": news, "value": "x"},
        {"contact": bob, "kind": "click", "link": other, "at": at(3, 23), "value": "other"},
        {"contact": bob, "kind": "open", "verdict": "proxy", "at": at(4), "value": "proxy"},
        {"contact": bob, "kind": "click", "link": shop, "at": at(5), "verdict": "suspected"},
    ):
        Event.objects.create(mailing=mailing, **fields)
    return {"news": news, "mailing": mailing, "ann": ann, "bob": bob}


def found(**chosen) -> list[str]:
    """Who did what, the oldest first, of the activities that are left."""
    events = ActivityFilter(**chosen).apply(Event.objects.activities()).order_by("at")
    return [f"{event.contact.email[:3]} {event.kind}" for event in events]


def test_each_part_narrows_down(world):
    everything = ["ann click", "ann unsubscribe", "bob click", "bob open", "bob click"]
    assert found() == everything
    assert found(kinds=("click",)) == ["ann click", "bob click", "bob click"]
    assert found(kinds=("open", "unsubscribe")) == ["ann unsubscribe", "bob open"]
    assert found(link=SHOP) == ["ann click", "bob click"]
    assert found(verdicts=("human",)) == ["ann click", "ann unsubscribe", "bob click"]
    assert found(verdicts=("proxy", "suspected")) == ["bob open", "bob click"]
    assert found(mailing=world["mailing"].pk) == everything
    assert found(mailing=world["mailing"].pk + 1) == []


def test_whoever_left_a_list_is_still_found_by_it(world):
    assert found(recipient_list=world["news"].pk) == ["ann click", "ann unsubscribe"]


def test_days_are_whole_and_both_are_included(world, settings):
    settings.TIME_ZONE = "UTC"
    june = {"since": date(2026, 6, 1), "until": date(2026, 6, 3)}
    assert found(**june) == ["ann click", "ann unsubscribe", "bob click"]
    assert found(since=date(2026, 6, 4)) == ["bob open", "bob click"]
    assert found(until=date(2026, 6, 1)) == ["ann click"]


def test_days_begin_where_the_editor_lives(world, settings):
    # In Berlin it is already the fourth, one hour after midnight, when Bob clicks.
    with timezone.override("Europe/Berlin"):
        assert found(until=date(2026, 6, 3)) == ["ann click", "ann unsubscribe"]


def test_every_word_of_the_search_counts(world):
    assert set(found(search="lee")) == set(found())
    assert found(search="Ann LEE") == ["ann click", "ann unsubscribe"]
    assert found(search="bob@example ann") == []


def test_parts_go_together(world):
    assert found(kinds=("click",), link=SHOP, search="bob") == ["bob click"]


def test_a_segment_is_asked_now(world):
    segment = Segment.objects.create(
        name="Subscribed",
        conditions=[("on_list", {"recipient_list": world["news"], "negate": False})],
    )
    assert found(segment=segment.pk) == []
    subscribe(world["bob"], world["news"])
    assert found(segment=segment.pk) == ["bob click", "bob open", "bob click"]
    empty = Segment.objects.create(name="Nobody")
    assert found(segment=empty.pk) == []


def test_a_segment_that_is_gone_holds_nobody(world):
    assert found(segment=4711) == []


def test_machines_stay_out_whatever_is_chosen(world):
    Event.objects.filter(kind=EventKind.CLICK).update(verdict=Verdict.MACHINE)
    assert found(kinds=("click",)) == []
