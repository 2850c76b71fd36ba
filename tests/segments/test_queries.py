from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import JSONField, Q, Value
from django.utils import timezone

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.contacts.models import Contact, SubscriptionStatus
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.segments.queries import (
    UnknownCondition,
    contacts_in,
    count,
    rules_in_words,
    segment_q,
    sentences,
)
from wagtail_email_insights.tracking.models import (
    Event,
    EventKind,
    MailingTotals,
    TrackedLink,
    Verdict,
)

pytestmark = pytest.mark.django_db


def make_segment(*rules: tuple[str, dict[str, Any]], match: str = "all") -> Segment:
    raw = [{"type": code, "value": value} for code, value in rules]
    segment = Segment.objects.create(name="Readers", match=match)
    # Past the field, which would drop a condition that is not registered.
    Segment.objects.filter(pk=segment.pk).update(conditions=Value(raw, JSONField()))
    return Segment.objects.get(pk=segment.pk)


def clicked(**value: Any) -> tuple[str, dict[str, Any]]:
    defaults = {"negate": False, "link_match": "any", "link_value": "", "email": None}
    return "clicked_link", {**defaults, "days": None, **value}


def on_list(recipient_list: Any, negate: bool = False) -> tuple[str, dict[str, Any]]:
    return "on_list", {"negate": negate, "recipient_list": recipient_list.pk}


def group(*rules: tuple[str, dict[str, Any]], match: str = "any", negate: bool = False) -> Any:
    inner = [{"type": code, "value": value} for code, value in rules]
    return "group", {"match": match, "negate": negate, "conditions": inner}


def click(contact: Contact, email: Any = None, url: str = "https://example.com/a", **fields: Any):
    mailing = make_mailing(email or make_email())
    link = TrackedLink.objects.create(mailing=mailing, position=0, url=url)
    return Event.objects.create(
        kind=EventKind.CLICK, contact=contact, mailing=mailing, link=link, **fields
    )


def members(segment: Segment) -> set[str]:
    return {contact.email.split("@")[0] for contact in contacts_in(segment)}


@pytest.fixture
def ann() -> Contact:
    return make_contact("ann@example.org")


@pytest.fixture
def bob() -> Contact:
    return make_contact("bob@example.org")


def test_nobody_is_in_a_segment_without_conditions(ann):
    assert members(make_segment()) == set()
    assert sentences(make_segment()) == []


@pytest.mark.parametrize("negate", [True, False])
def test_nobody_fulfils_an_empty_group_even_turned_round(ann, negate):
    assert members(make_segment(group(negate=negate))) == set()


def test_finds_who_clicked_any_link_once_however_often(ann, bob):
    click(ann)
    click(ann)
    segment = make_segment(clicked())
    assert members(segment) == {"ann"}
    assert count(segment) == 1


def test_opens_are_no_clicks(ann):
    Event.objects.create(kind=EventKind.OPEN, contact=ann, mailing=make_mailing())
    assert members(make_segment(clicked())) == set()


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        (Verdict.HUMAN, {"ann"}),
        (Verdict.SUSPECTED, {"ann"}),
        (Verdict.MACHINE, set()),
        (Verdict.PROXY, set()),
    ],
)
def test_machines_bring_nobody_in(ann, verdict, found):
    click(ann, verdict=verdict)
    assert members(make_segment(clicked())) == found


def test_the_e_mail_may_be_one_or_any(ann, bob):
    june, july = make_email("June news"), make_email("July news")
    click(ann, june)
    click(bob, july)
    assert members(make_segment(clicked(email=june.pk))) == {"ann"}
    assert members(make_segment(clicked())) == {"ann", "bob"}


def test_a_deleted_e_mail_does_not_become_any_e_mail(ann):
    june = make_email("June news")
    segment = make_segment(clicked(email=june.pk))
    june.delete()
    click(ann, make_email("July news"))
    segment = Segment.objects.get(pk=segment.pk)
    assert members(segment) == set()
    assert sentences(segment) == ["clicked any link in a deleted e-mail"]


@pytest.mark.parametrize(
    ("match", "value", "found"),
    [
        ("exact", "https://example.com/shop", {"ann"}),
        ("exact", "https://example.com/SHOP", set()),
        ("contains", "/SHOP", {"ann", "bob"}),
        ("starts", "https://example.com/", {"ann", "bob"}),
        ("starts", "example.com", set()),
        ("contains", "100%", set()),
        ("contains", "", set()),
    ],
)
def test_links_are_matched(ann, bob, match, value, found):
    click(ann, url="https://example.com/shop")
    click(bob, url="https://example.com/shop/1000")
    assert members(make_segment(clicked(link_match=match, link_value=value))) == found


def test_only_the_last_days_count(ann, bob):
    click(ann, at=timezone.now() - timedelta(days=29))
    click(bob, at=timezone.now() - timedelta(days=31))
    assert members(make_segment(clicked(days=30))) == {"ann"}
    assert members(make_segment(clicked(days=30, negate=True))) == {"bob"}


def test_a_list_counts_only_who_is_subscribed(ann, bob):
    news = make_list()
    subscribe(ann, news)
    subscribe(bob, news, SubscriptionStatus.PENDING)
    assert members(make_segment(on_list(news))) == {"ann"}
    assert members(make_segment(on_list(news, negate=True))) == {"bob"}


def test_a_deleted_list_has_nobody_on_it(ann):
    news = make_list()
    segment = make_segment(on_list(news))
    subscribe(ann, news)
    news.delete()
    segment = Segment.objects.get(pk=segment.pk)
    assert members(segment) == set()
    assert sentences(segment) == ["is subscribed to a deleted list"]


def test_a_rule_does_not_grow_when_what_it_names_is_deleted(ann, bob):
    news, june = make_list(), make_email("June news")
    other = make_list("Other")
    subscribe(bob, other)
    names_list, names_email = on_list(news, negate=True), clicked(email=june.pk, negate=True)
    rules = [
        [names_list],
        [names_email],
        [group(on_list(news), negate=True)],
        [group(names_list, names_email, match="all")],
    ]
    segments = [make_segment(*rule) for rule in rules]
    assert all(members(segment) == {"ann", "bob"} for segment in segments)
    either = make_segment(names_list, on_list(other), match="any")
    news.delete()
    june.delete()
    for segment in segments:
        assert members(Segment.objects.get(pk=segment.pk)) == set()
    assert members(Segment.objects.get(pk=either.pk)) == {"bob"}


def test_where_clicks_were_deleted_nobody_is_taken_for_silent(ann, bob):
    """Bob may have clicked too: that is no longer stored."""
    june = make_email("June news")
    click(ann, june)
    did, did_not = clicked(email=june.pk), clicked(email=june.pk, negate=True)
    assert members(make_segment(did_not)) == {"bob"}
    MailingTotals.objects.update_or_create(
        mailing=june.mailings.get(), defaults={"events_removed_at": timezone.now()}
    )
    assert members(make_segment(did)) == {"ann"}
    assert members(make_segment(group(did_not, negate=True))) == {"ann"}
    for rule in (did_not, group(did, negate=True)):
        assert members(make_segment(rule)) == set()
    assert members(make_segment(clicked(negate=True))) == {"bob"}


def test_all_any_and_groups_combine(ann, bob):
    carla = make_contact("carla@example.org")
    news, shop = make_list("News"), make_list("Shop")
    for contact in (ann, bob, carla):
        subscribe(contact, news)
    subscribe(bob, shop)
    click(carla)
    assert members(make_segment(on_list(news), on_list(shop))) == {"bob"}
    assert members(make_segment(on_list(shop), clicked(), match="any")) == {"bob", "carla"}
    either = group(on_list(shop), clicked())
    assert members(make_segment(on_list(news), either)) == {"bob", "carla"}
    neither = group(on_list(shop), clicked(), negate=True)
    assert members(make_segment(on_list(news), neither)) == {"ann"}


def test_goes_with_other_filters_without_doubling_rows(ann, bob):
    news, shop = make_list("News"), make_list("Shop")
    for recipient_list in (news, shop):
        subscribe(ann, recipient_list)
    click(ann)
    click(ann)
    rule = segment_q(make_segment(clicked()))
    on_some_list = Contact.objects.filter(Q(subscriptions__recipient_list=news), rule)
    assert list(on_some_list) == [ann]
    assert list(Contact.objects.exclude(rule)) == [bob]


def test_one_query_finds_the_contacts(ann, django_assert_num_queries):
    segment = make_segment(clicked(), group(clicked(), clicked(days=3)))
    contacts = contacts_in(segment)
    with django_assert_num_queries(1):
        list(contacts)


@pytest.mark.parametrize("nested", [True, False])
def test_a_removed_condition_is_an_error_and_never_everybody(ann, nested):
    gone = ("from_a_removed_package", {"x": 1})
    segment = make_segment(group(gone) if nested else gone, clicked(negate=True))
    for ask in (contacts_in, segment_q, sentences, count):
        with pytest.raises(UnknownCondition, match="from_a_removed_package"):
            ask(segment)
    assert "from_a_removed_package" in rules_in_words([segment])[segment.pk]


def test_the_rule_reads_as_words():
    june, news = make_email("June news"), make_list("News")
    segment = make_segment(
        clicked(email=june.pk, days=30),
        group(on_list(news), clicked(negate=True, link_match="contains", link_value="/shop")),
        group(on_list(news, negate=True), clicked(days=1), match="all", negate=True),
    )
    assert sentences(segment) == [
        "clicked any link in “June news” in the last 30 days",
        "(is subscribed to “News” or has not clicked a link containing /shop in any e-mail)",
        "not (is not subscribed to “News” and clicked any link in any e-mail in the last day)",
    ]


def test_many_rules_cost_what_one_costs(django_assert_num_queries):
    email, news = make_email(), make_list()
    segments = [make_segment(clicked(email=email.pk), on_list(news)) for _ in range(10)]
    with django_assert_num_queries(3):
        rules_in_words(segments[:1])
    with django_assert_num_queries(3):
        rules_in_words(segments)
