from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import JSONField, Value
from django.utils import timezone

from tests.factories import make_list, subscribe
from tests.statistics.sent import copies_of, happen, make_link, make_sent
from wagtail_email_insights.contacts.models import Subscription
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.statistics import breakdowns
from wagtail_email_insights.statistics.breakdowns import (
    by_client,
    by_device,
    by_language,
    by_leaving_reason,
    by_link,
    by_list,
    by_segment,
    by_variant,
    by_verdict,
)
from wagtail_email_insights.statistics.parts import MOST_SEGMENTS
from wagtail_email_insights.tracking.models import Scope

pytestmark = pytest.mark.django_db
ALL = [name for name in breakdowns.__all__ if name.startswith("by_")]


def test_the_same_address_in_two_mailings_is_one_destination():
    one, two = make_sent("sent"), make_sent("sent")
    for mailing in (one, two):
        happen(mailing, "click", -1, link=make_link(mailing, "https://example.com/a"))
        make_link(mailing, "https://example.com/b")
    first, second = by_link([one, two])
    assert (first.url, first.clicked, first.clicks, first.share) == (
        "https://example.com/a",
        2,
        2,
        1,
    )
    assert len(first.link_ids) == 2
    assert (second.clicked, second.share) == (0, 0)


def test_two_links_that_were_led_to_the_same_address_do_not_count_a_copy_twice():
    mailing = make_sent("sent")
    links = [make_link(mailing, "https://example.com/a") for _ in range(2)]
    for link in links:
        happen(mailing, "click", -1, link=link)
    assert [(part.clicked, len(part.link_ids)) for part in by_link([mailing])] == [(1, 1), (1, 1)]


def test_a_file_is_counted_by_its_downloads():
    mailing = make_sent("sent", "sent")
    file = make_link(mailing, "/documents/7/prices.pdf", document_id=7)
    happen(mailing, "download", -1, link=file)
    happen(mailing, "download", -2, link=file)
    happen(mailing, "click", -1, link=make_link(mailing))
    slices = {part.kind: (part.clicked, part.share) for part in by_link([mailing])}
    assert slices == {"file": (2, 1.0), "link": (1, 1.0)}


def test_devices_and_programs_come_by_use():
    mailing = make_sent(*["sent"] * 3)
    for copy, device, client in [
        (-1, "phone", "gmail"),
        (-2, "phone", "gmail"),
        (-3, "desktop", "thunderbird"),
        (-3, "", ""),
    ]:
        happen(mailing, "open", copy, device=device, client=client)
    devices = [(str(part.label), part.opened) for part in by_device([mailing])]
    assert devices[0] == ("Phone", 2)
    assert sorted(devices[1:]) == [("Computer", 1), ("Unknown", 1)]
    assert by_device([mailing])[0].share == 2 / 3
    assert by_client([mailing])[0].label == "Gmail"


def test_variants_have_letters():
    mailing = make_sent()
    for variant in (2, 1):
        happen(mailing, "click", -variant, variant=variant)
    assert [part.label for part in by_variant([mailing])] == ["A", "B"]


def test_machines_are_shown_with_their_reason_in_words():
    mailing = make_sent()
    happen(mailing, "click", -1, verdict="machine", verdict_reason="trap")
    happen(mailing, "open", -2, verdict="proxy", verdict_reason="apple_privacy")
    happen(mailing, "open", -3)
    parts = by_verdict([mailing])
    assert [(part.verdict, part.opens, part.clicks) for part in parts] == [
        ("human", 1, 0),
        ("machine", 0, 1),
        ("proxy", 1, 0),
    ]
    assert all(str(part.sentence) for part in parts)


def test_a_verdict_of_rules_that_are_gone_is_shown_all_the_same():
    mailing = make_sent()
    happen(mailing, "click", -1, verdict="machine", verdict_reason="long_forgotten")
    [part] = by_verdict([mailing])
    assert (part.reason, part.label, part.clicks) == ("long_forgotten", "Machine", 1)


def test_reasons_for_leaving_add_up_to_everybody_who_left():
    mailing = make_sent(*["sent"] * 4)
    for copy, why in zip(copies_of(mailing), ["too_often", "too_often", "other", ""], strict=True):
        happen(mailing, "unsubscribe", copy, why=why)
    parts = [(part.key, part.unsubscribed, part.share) for part in by_leaving_reason([mailing])]
    assert parts == [("too_often", 2, 0.5), ("other", 1, 0.25), ("", 1, 0.25)]


def test_only_identified_copies_are_split_by_list():
    mailing = make_sent("known", "known", "sent")
    news, empty = make_list("News"), make_list("Nobody")
    known, also_known, anonymous = copies_of(mailing)
    for copy in (known, also_known, anonymous):
        subscribe(copy.contact, news)
    _long_subscribed()
    happen(mailing, "click", known)
    happen(mailing, "open", also_known)
    happen(mailing, "click", -1)
    [part] = by_list([mailing])
    assert (part.label, part.sent, part.identified) == ("News", 3, 2)
    assert (part.opened, part.clicked) == (2, 1)
    assert (part.open_rate, part.click_rate) == (1.0, 0.5)
    assert str(empty.pk) != part.key


def test_lists_are_those_of_the_day_the_copy_was_sent():
    mailing = make_sent("sent", "sent", "sent")
    before, since, later = (copy.contact for copy in copies_of(mailing))
    news = make_list("News")
    left_before = subscribe(before, news, "unsubscribed")
    left_since = subscribe(since, news, "unsubscribed")
    _long_subscribed()
    joined_later = subscribe(later, news)
    left_before.changed_at = mailing.started_at - timedelta(days=2)
    left_before.save()
    assert left_since.changed_at > mailing.started_at
    assert joined_later.created_at > mailing.started_at
    [part] = by_list([mailing])
    assert part.sent == 1


def test_languages_that_nobody_noted_are_unknown():
    mailing = make_sent("known", "sent", "failed")
    first = copies_of(mailing)[0].contact
    first.language = "nl"
    first.save()
    assert {(part.key, str(part.label), part.sent) for part in by_language([mailing])} == {
        ("nl", "nl", 1),
        ("", "Unknown", 1),
    }


def test_machines_open_nothing_in_a_part_either():
    mailing = make_sent("known")
    happen(mailing, "click", copies_of(mailing)[0], verdict="machine")
    assert by_language([mailing])[0].clicked == 0
    assert by_language([mailing], Scope.EVERYTHING)[0].clicked == 1


def test_segments_are_those_with_readers_in_them(django_assert_max_num_queries):
    mailing = make_sent("known", "sent")
    news = make_list("News")
    subscribe(copies_of(mailing)[0].contact, news)
    on_list = [{"type": "on_list", "value": {"negate": False, "recipient_list": news.pk}}]
    _segment("On the list", on_list)
    _segment("Nobody", [])
    for number in range(MOST_SEGMENTS):
        _segment(f"Zzz {number}", [])
    with django_assert_max_num_queries(MOST_SEGMENTS + 5):
        [part] = by_segment([mailing])
    assert (part.label, part.sent, part.identified) == ("On the list", 1, 1)


def test_a_segment_whose_condition_is_gone_is_left_out():
    mailing = make_sent("sent")
    _segment("Broken", [{"type": "no_longer_there", "value": {}}])
    assert by_segment([mailing]) == []


@pytest.mark.parametrize("name", [name for name in ALL if name != "by_segment"])
def test_a_part_costs_the_same_after_many_events(name, queries_of):
    mailing = make_sent("known", "known")
    breakdown = getattr(breakdowns, name)
    link = make_link(mailing)
    happen(mailing, "click", -1, link=link)
    few = queries_of(lambda: breakdown([mailing]))
    other = make_sent("sent")
    for number in range(20):
        happen(mailing, "click", -number, link=make_link(mailing, f"https://example.com/{number}"))
        happen(mailing, "unsubscribe", copies_of(mailing)[number % 2], why="other")
    assert queries_of(lambda: breakdown([mailing, other])) == few


def _long_subscribed() -> None:
    Subscription.objects.update(created_at=timezone.now() - timedelta(days=9))


def _segment(name: str, rules: list[dict[str, Any]]) -> None:
    segment = Segment.objects.create(name=name)
    # Past the field, which would drop a condition that is not registered.
    Segment.objects.filter(pk=segment.pk).update(conditions=Value(rules, JSONField()))
