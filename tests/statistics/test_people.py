from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.factories import make_list, subscribe
from tests.statistics.sent import copies_of, happen, make_link, make_sent
from wagtail_email_insights.statistics import breakdowns
from wagtail_email_insights.statistics.curves import Span
from wagtail_email_insights.statistics.definitions import BY_CODE
from wagtail_email_insights.statistics.people import (
    ABSENCES,
    ONLY_THROUGH_PROXY,
    UnknownFigure,
    behind,
    behind_row,
)
from wagtail_email_insights.statistics.standing import STANDING
from wagtail_email_insights.tracking import actions, retention
from wagtail_email_insights.tracking.models import Scope

pytestmark = pytest.mark.django_db


def addresses(found) -> set[str]:
    return set(found.contacts.values_list("email", flat=True))


def test_who_may_be_known_is_named_and_the_others_are_counted():
    mailing = make_sent("known", "sent", "sent")
    known = copies_of(mailing)[0]
    happen(mailing, "click", known)
    happen(mailing, "click", -1)
    happen(mailing, "click", -1)
    happen(mailing, "click")
    found = behind([mailing], "clicked")
    assert addresses(found) == {known.contact.email}
    assert (found.known, found.anonymous) == (1, 1)


def test_a_contact_of_two_mailings_is_one_contact_and_nobody_is_made_up():
    first = make_sent("known")
    [copy] = copies_of(first)
    second = make_sent(email=first.email)
    again = second.deliveries.create(contact=copy.contact, state="sent", identified=True)
    happen(first, "click", copy)
    happen(second, "click", again)
    found = behind([first, second], "clicked")
    assert (found.known, found.anonymous) == (1, 0)


def test_who_takes_the_consent_back_becomes_one_of_the_anonymous():
    mailing = make_sent("known")
    [copy] = copies_of(mailing)
    happen(mailing, "click", copy)
    actions.strip_contact(copy.contact)
    found = behind([mailing], "clicked")
    assert (found.known, found.anonymous) == (0, 1)


@pytest.mark.parametrize("scope", Scope)
def test_nobody_is_named_for_what_a_machine_did(scope):
    mailing = make_sent("known")
    happen(mailing, "click", copies_of(mailing)[0], verdict="machine")
    assert behind([mailing], "clicked", scope=scope).known == 0


def test_one_link_only():
    mailing = make_sent("known", "known")
    first, second = copies_of(mailing)
    here, there = make_link(mailing), make_link(mailing, "https://example.com/there")
    happen(mailing, "click", first, link=here)
    happen(mailing, "click", second, link=there)
    happen(mailing, "click", -1, link=there)
    found = behind([mailing], "clicked", link_ids=[there.pk])
    assert addresses(found) == {second.contact.email}
    assert (found.known, found.anonymous) == (1, 1)


@pytest.mark.parametrize(
    ("part", "kind", "code"),
    [
        ({"device": "phone"}, "open", "opened"),
        ({"client": "Gmail"}, "click", "click_to_open"),
        ({"variant": 2}, "click", "clicked"),
        ({"why": "other"}, "unsubscribe", "unsubscribed"),
    ],
)
def test_one_part_of_a_breakdown_only(part, kind, code):
    mailing = make_sent("known", "known")
    here, elsewhere = copies_of(mailing)
    happen(mailing, kind, here, **part)
    happen(mailing, kind, elsewhere)
    happen(mailing, kind, -1, **part)
    found = behind([mailing], code, **part)
    assert addresses(found) == {here.contact.email}
    assert found.anonymous == 1


HOUR = Span(datetime(2026, 3, 27, 21, tzinfo=UTC), datetime(2026, 3, 27, 22, tzinfo=UTC))


@pytest.mark.parametrize("code", ["opened", "clicked"])
def test_within_an_hour_are_those_who_did_it_for_the_first_time(code):
    mailing = make_sent("known", "known", "known", "known")
    early, again, late, by_machine = copies_of(mailing)
    happen(mailing, "click", early, at=HOUR.begin - timedelta(microseconds=1))
    happen(mailing, "click", early, at=HOUR.begin)
    for at in (HOUR.begin, HOUR.begin, HOUR.end):
        happen(mailing, "click", again, at=at)
    happen(mailing, "click", late, at=HOUR.end)
    happen(mailing, "click", by_machine, at=HOUR.begin - timedelta(days=1), verdict="machine")
    happen(mailing, "click", by_machine, at=HOUR.begin)
    happen(mailing, "click", -1, at=HOUR.begin)
    happen(mailing, "click", -2, at=HOUR.end)
    found = behind([mailing], code, span=HOUR)
    assert addresses(found) == {again.contact.email, by_machine.contact.email}
    assert (found.known, found.anonymous) == (2, 1)
    everything = behind([mailing], code, span=HOUR, scope=Scope.EVERYTHING)
    assert addresses(everything) == {again.contact.email}
    assert everything.anonymous == 1


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("downloaded", {"span": HOUR}),
        ("unsubscribed", {"span": HOUR}),
        ("not_opened", {"device": "phone"}),
        ("delivered", {"device": "phone"}),
        (ONLY_THROUGH_PROXY, {"client": "Gmail"}),
    ],
)
def test_a_part_that_nobody_counted_is_no_number(code, part):
    """The whole would be shown under the name of the part."""
    with pytest.raises(UnknownFigure):
        behind([make_sent("known")], code, **part)


@pytest.mark.parametrize(
    ("scope", "numbers"), [(Scope.READERS, (1, 0)), (Scope.EVERYTHING, (1, 1))]
)
def test_in_a_row_copies_that_only_a_machine_touched_are_nameless(scope, numbers):
    news = make_list("News")
    mailing = make_sent("known", "known")
    read, scanned = copies_of(mailing)
    for copy in (read, scanned):
        subscribe(copy.contact, news)
    mailing.deliveries.update(settled_at=timezone.now())
    happen(mailing, "open", read)
    happen(mailing, "open", scanned, verdict="machine")
    [row] = breakdowns.by_list([mailing], scope)
    found = behind_row([mailing], "opened", "list", row.key, scope=scope)
    assert (found.known, found.anonymous) == numbers
    assert found.known + found.anonymous == row.opened


def test_two_parts_at_once_are_refused():
    with pytest.raises(ValueError, match="one part"):
        behind([], "clicked", device="phone", client="Gmail")


def test_who_did_not_click_are_identified_copies_that_arrived():
    mailing = make_sent("known", "known", "known", "known", "sent", "failed")
    clicked, opened, came_back, by_machine, _anonymous, _failed = copies_of(mailing)
    happen(mailing, "click", clicked)
    happen(mailing, "open", opened)
    happen(mailing, "hard_bounce", came_back)
    happen(mailing, "click", by_machine, verdict="machine")
    found = behind([mailing], "not_clicked")
    assert addresses(found) == {opened.contact.email, by_machine.contact.email}
    assert (found.known, found.anonymous) == (2, 1)
    assert addresses(behind([mailing], "not_opened")) == {by_machine.contact.email}


def test_what_became_of_a_copy_is_known_without_consent():
    mailing = make_sent("sent", "sent", "sent", "failed")
    hard, soft, fine, _failed = copies_of(mailing)
    happen(mailing, "hard_bounce", hard)
    happen(mailing, "soft_bounce", soft)
    happen(mailing, "soft_bounce", fine)
    happen(mailing, "delivered", fine)
    assert behind([mailing], "sent").known == 3
    assert addresses(behind([mailing], "delivered")) == {fine.contact.email}
    assert addresses(behind([mailing], "bounced")) == {hard.contact.email, soft.contact.email}


def test_bounces_are_told_apart_and_so_is_what_never_went_out():
    mailing = make_sent("sent", "sent", "failed", "uncertain")
    hard, soft, failed, uncertain = copies_of(mailing)
    happen(mailing, "soft_bounce", hard)
    happen(mailing, "hard_bounce", hard)
    happen(mailing, "soft_bounce", soft)
    assert addresses(behind([mailing], "hard_bounced")) == {hard.contact.email}
    assert addresses(behind([mailing], "soft_bounced")) == {soft.contact.email}
    assert addresses(behind([mailing], "failed")) == {failed.contact.email}
    assert addresses(behind([mailing], "uncertain")) == {uncertain.contact.email}


def test_of_whom_only_a_proxy_has_loaded_anything():
    mailing = make_sent("known", "known", "sent")
    fetched, read, anonymous = copies_of(mailing)
    for copy in (fetched, read, -anonymous.pk):
        happen(mailing, "open", copy, verdict="proxy")
    happen(mailing, "open", read)
    found = behind([mailing], ONLY_THROUGH_PROXY)
    assert addresses(found) == {fetched.contact.email}
    assert found.anonymous == 1


def test_who_left_without_a_reason_is_what_the_reasons_leave_over():
    mailing = make_sent("known", "known", "sent")
    silent, talker, anonymous = copies_of(mailing)
    happen(mailing, "unsubscribe", silent)
    happen(mailing, "unsubscribe", talker, why="other")
    happen(mailing, "unsubscribe", -anonymous.pk)
    found = behind([mailing], "unsubscribed", why="")
    assert addresses(found) == {silent.contact.email}
    assert found.anonymous == 1


def test_a_row_of_a_breakdown_has_as_many_contacts_as_it_says():
    mailing = make_sent("known", "known", "sent")
    news = make_list("News")
    clicker, opener, anonymous = copies_of(mailing)
    for copy in (clicker, opener, anonymous):
        copy.contact.language = "de"
        copy.contact.save()
        subscription = subscribe(copy.contact, news)
        subscription.created_at = mailing.started_at - timedelta(days=1)
        subscription.save()
    happen(mailing, "click", clicker)
    happen(mailing, "open", opener)
    happen(mailing, "click", opener, verdict="machine")
    for row, [part] in (
        ("list", breakdowns.by_list([mailing])),
        ("language", breakdowns.by_language([mailing])),
    ):
        for code in ("sent", "identified", "opened", "clicked"):
            found = behind_row([mailing], code, row, part.key)
            assert (row, code, found.known) == (row, code, getattr(part, code))
            assert found.anonymous == 0
    assert addresses(behind_row([mailing], "clicked", "list", str(news.pk))) == {
        clicker.contact.email
    }


def test_a_row_has_no_figures_but_its_own():
    with pytest.raises(UnknownFigure):
        behind_row([], "bounced", "language", "de")


def test_who_was_deleted_is_counted_without_a_name():
    mailing = make_sent("sent", "sent")
    copies_of(mailing)[0].contact.delete()
    found = behind([mailing], "sent")
    assert (found.known, found.anonymous) == (1, 1)


@pytest.mark.parametrize("code", [*BY_CODE, *ABSENCES, *STANDING, ONLY_THROUGH_PROXY])
def test_every_figure_has_its_contacts(code):
    assert behind([make_sent()], code).known == 0


def test_there_is_nobody_behind_a_figure_that_does_not_exist():
    with pytest.raises(UnknownFigure):
        behind([], "delighted")


@pytest.fixture
def forgotten(settings):
    """A mailing of long ago: two clicked, one came back, one replied; then events were deleted."""
    long_ago = timezone.now() - timedelta(days=400)
    mailing = make_sent("known", "known", "known", "sent", started_at=long_ago)
    clicked, also, came_back, _anonymous = copies_of(mailing)
    for kind, copy in (("click", clicked), ("click", also), ("hard_bounce", came_back)):
        happen(mailing, kind, copy, at=long_ago)
    happen(mailing, "reply", also, at=long_ago)
    settings.WAGTAIL_EMAIL_INSIGHTS = {"retention_days": 365}
    assert retention.forget_old() == 3
    return mailing


def test_where_events_were_deleted_nobody_did_it_and_nobody_did_not(forgotten):
    recent = make_sent("known")
    happen(recent, "click", copies_of(recent)[0])
    for code in ("opened", "clicked", "not_clicked", "not_opened", "delivered", "bounced"):
        for mailings in ([forgotten], [forgotten, recent]):
            found = behind(mailings, code)
            assert (code, found.known, found.anonymous) == (code, 0, 0)
            assert not found.contacts.exists()
            assert found.events_removed_at
    assert behind([recent], "clicked").events_removed_at is None


def test_what_became_of_copies_and_replies_outlive_the_events(forgotten):
    for code, known in (("sent", 4), ("failed", 0), ("replied", 1)):
        found = behind([forgotten], code)
        assert (code, found.known, found.events_removed_at) == (code, known, None)


def test_where_events_were_deleted_rows_know_their_copies_only(forgotten):
    assert behind_row([forgotten], "sent", "language", "").known == 4
    assert behind_row([forgotten], "identified", "language", "").known == 3
    found = behind_row([forgotten], "clicked", "language", "")
    assert found.known == 0
    assert found.events_removed_at


@pytest.mark.parametrize(
    ("unknown", "is_guessable"), [(0, False), (1, True), (4, True), (5, False)]
)
def test_in_a_very_small_group_somebody_could_guess(unknown, is_guessable):
    mailing = make_sent("known", *["sent"] * unknown, "failed")
    happen(mailing, "click", -1)
    found = behind([mailing], "clicked")
    assert found.crowd == unknown
    assert found.is_guessable == is_guessable


def test_of_several_mailings_the_smallest_group_counts():
    large, small, none = make_sent(*["sent"] * 9), make_sent("sent", "sent"), make_sent("known")
    assert behind([large, none], "clicked").crowd == 9
    assert behind([large, small, none], "clicked").crowd == 2


@pytest.mark.parametrize("code", ["clicked", "not_clicked", "delivered"])
def test_the_contacts_are_one_query_and_their_number_does_not_matter(code, queries_of):
    mailing = make_sent("known")
    happen(mailing, "click", copies_of(mailing)[0])
    few = queries_of(lambda: list(behind([mailing], code).contacts))
    larger = make_sent(*["known"] * 9)
    for copy in copies_of(larger)[:5]:
        happen(larger, "click", copy)
    assert queries_of(lambda: list(behind([larger], code).contacts)) == few
