from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.mailings.models import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingState,
)
from wagtail_email_insights.mailings.queries import progress
from wagtail_email_insights.sending import actions, experiments, winners
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.sending.transitions import NotPossible
from wagtail_email_insights.tracking.models import Event, EventKind, Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def news():
    return make_list("News")


@pytest.fixture
def make_test(news):
    """A started mailing with a test of two subjects, its test copies sent."""

    def make(*, readers: int = 20, share: int | None = 40, subjects=("", "Other"), **fields):
        for _ in range(readers):
            subscribe(make_contact(), news)
        mailing = make_mailing(make_email(), news, test_share=share, **fields)
        experiments.set_variants(mailing, [(subject, None) for subject in subjects])
        actions.start(mailing)
        mailing.refresh_from_db()
        work_on(mailing, seconds=30)
        mailing.refresh_from_db()
        return mailing

    return make


def record(mailing, variant, number, kind=EventKind.CLICK, verdict=Verdict.HUMAN, **fields):
    for copy in range(number):
        Event.objects.create(
            kind=kind,
            mailing=mailing,
            variant=variant,
            copy=-(variant * 1000 + copy + 1),
            verdict=verdict,
            **fields,
        )


def later(mailing: Mailing):
    return mailing.started_at + timedelta(hours=mailing.test_hours, minutes=1)


def finish(mailing: Mailing) -> None:
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    mailing.refresh_from_db()


@pytest.mark.parametrize(
    ("due", "share", "variants", "sizes"),
    [
        (1000, 20, 2, [100, 100]),
        (1001, 10, 3, [34, 33, 33]),
        (50, 1, 4, [1, 1, 1, 1]),
        (3, 10, 2, [1, 1]),
        (1, 10, 2, [1, 0]),
        (0, 10, 2, [0, 0]),
        (7, 100, 2, [4, 3]),
        (7, None, 2, [4, 3]),
    ],
)
def test_the_parts_are_as_even_as_can_be(due, share, variants, sizes):
    assert experiments.part_sizes(due, share, variants) == sizes


def test_the_copies_are_dealt_out_exactly_as_the_review_says(make_test):
    mailing = make_test(readers=101, share=30, subjects=("", "Two", "Three"))
    assert experiments.sizes(mailing) == {0: 71, 1: 10, 2: 10, 3: 10}
    assert experiments.held_back(mailing) == 71


def test_the_test_takes_readers_from_the_whole_audience(make_test):
    mailing = make_test(readers=200, share=20)
    copies = list(mailing.deliveries.order_by("pk").values_list("variant", flat=True))
    for quarter in range(4):
        part = copies[quarter * 50 : (quarter + 1) * 50]
        assert 8 <= sum(variant > 0 for variant in part) <= 12
        assert 3 <= part.count(1) <= 7


def test_each_variant_carries_its_own_subject(make_test):
    make_test()
    subjects = [message.subject for message in mail.outbox]
    assert sorted(set(subjects)) == ["June news", "Other"]
    assert len(subjects) == 8


def test_a_variant_may_have_the_content_of_another_email(news):
    for _ in range(4):
        subscribe(make_contact(), news)
    other = make_email("Other", body=[("rich_text", "<p>Quite different.</p>")])
    mailing = make_mailing(make_email(), news, test_share=100)
    experiments.set_variants(mailing, [("", None), ("", other)])
    actions.start(mailing)
    finish(mailing)
    texts = ["Quite different" in message.body for message in mail.outbox]
    assert sorted(texts) == [False, False, True, True]
    assert mailing.state == MailingState.SENT


def test_a_mailing_that_holds_copies_back_is_not_finished(make_test):
    mailing = make_test()
    assert mailing.state == MailingState.SENDING
    now = progress(mailing)
    assert (now.sent, now.waiting) == (8, 12)
    assert now.sent + now.failed + now.uncertain + now.skipped + now.waiting == now.audience


def test_skipped_copies_belong_to_no_variant(make_test, news):
    subscribe(make_contact(), news, status="pending")
    mailing = make_test(readers=4, share=50)
    assert experiments.sizes(mailing) == {0: 2, 1: 1, 2: 1}
    assert experiments.held_back(mailing) == 2


@pytest.mark.parametrize(("metric", "winner"), [("clicks", 2), ("opens", 1), ("manual", None)])
def test_the_winner_is_chosen_by_the_metric(make_test, metric, winner):
    mailing = make_test(test_metric=metric)
    record(mailing, 1, 1)
    record(mailing, 1, 4, EventKind.OPEN)
    record(mailing, 2, 3)
    winners.settle_due_tests(later(mailing))
    mailing.refresh_from_db()
    assert mailing.winner == winner


def test_everybody_held_back_gets_the_winner(make_test):
    mailing = make_test()
    record(mailing, 2, 1)
    assert winners.settle_due_tests(later(mailing)) == [mailing]
    finish(mailing)
    assert mailing.state == MailingState.SENT
    assert experiments.sizes(mailing) == {1: 4, 2: 16}
    assert progress(mailing).sent == 20
    assert len(mail.outbox) == len({message.to[0] for message in mail.outbox}) == 20


def test_the_worker_is_woken(make_test, monkeypatch, django_capture_on_commit_callbacks):
    mailing = make_test()
    woken = []
    monkeypatch.setattr(winners.queue, "_enqueue_now", lambda *args: woken.append(args))
    with django_capture_on_commit_callbacks(execute=True):
        winners.settle_due_tests(later(mailing))
    assert woken == [(actions.WORK_TASK, (mailing.pk,))]


def test_nothing_is_chosen_before_its_time(make_test):
    mailing = make_test()
    assert winners.settle_due_tests(later(mailing) - timedelta(minutes=2)) == []
    assert winners.settle_due_tests(later(mailing)) == [mailing]
    assert winners.settle_due_tests(later(mailing)) == []


@pytest.mark.parametrize("clicks", [0, 2])
def test_a_tie_or_no_data_gives_the_first_and_says_why(make_test, caplog, clicks):
    mailing = make_test()
    record(mailing, 1, clicks)
    record(mailing, 2, clicks)
    with caplog.at_level("INFO"):
        winners.settle_due_tests(later(mailing))
    mailing.refresh_from_db()
    assert mailing.winner == 1
    assert "no variant was ahead alone" in caplog.text


def test_rates_decide_and_not_numbers(make_test):
    mailing = make_test()
    record(mailing, 1, 2)
    record(mailing, 2, 1)
    mailing.deliveries.filter(pk__in=mailing.deliveries.filter(variant=2).values("pk")[:3]).update(
        state=DeliveryState.FAILED
    )
    winners.settle_due_tests(later(mailing))
    mailing.refresh_from_db()
    assert mailing.winner == 2


def test_machines_do_not_vote(make_test):
    mailing = make_test()
    record(mailing, 1, 4, verdict=Verdict.MACHINE)
    record(mailing, 2, 1)
    (one, two) = experiments.results_of([mailing])[mailing.pk]
    assert (one.sent, one.opened, one.clicked) == (4, 0, 0)
    assert (two.sent, two.opened, two.clicked) == (4, 1, 1)


@pytest.mark.parametrize("verb", [actions.pause, actions.cancel])
def test_a_paused_or_cancelled_mailing_chooses_nothing(make_test, verb):
    mailing = make_test()
    verb(mailing)
    assert winners.settle_due_tests(later(mailing)) == []
    mailing.refresh_from_db()
    assert mailing.winner is None


def test_after_going_on_it_chooses(make_test):
    mailing = make_test()
    actions.pause(mailing)
    actions.resume(mailing)
    assert winners.settle_due_tests(later(mailing)) == [mailing]


def test_cancelling_skips_those_who_wait(make_test):
    mailing = make_test()
    actions.cancel(mailing)
    assert (progress(mailing).sent, progress(mailing).skipped) == (8, 12)
    assert experiments.held_back(mailing) == 0


def test_of_two_who_choose_one_wins(make_test):
    mailing = make_test()
    stale = Mailing.objects.get(pk=mailing.pk)
    winners.declare_winner(mailing, 2)
    with pytest.raises(NotPossible):
        winners.declare_winner(stale, 1)
    assert stale.winner == 2
    assert experiments.sizes(mailing) == {1: 4, 2: 16}


def test_a_mailing_paused_between_reading_and_choosing_chooses_nothing(make_test, monkeypatch):
    mailing = make_test()

    def results_of(mailings):
        actions.pause(Mailing.objects.get(pk=mailing.pk))
        return experiments.results_of(mailings)

    monkeypatch.setattr(winners, "results_of", results_of)
    assert winners.settle_due_tests(later(mailing)) == []
    mailing.refresh_from_db()
    assert (mailing.winner, experiments.held_back(mailing)) == (None, 12)


@pytest.mark.parametrize("number", [0, 3])
def test_a_variant_that_is_not_there_cannot_win(make_test, number):
    with pytest.raises(NotPossible):
        winners.declare_winner(make_test(), number)


def test_nothing_wins_before_the_copies_are_dealt_out(news):
    mailing = make_mailing(make_email(), news, state=MailingState.PREPARING, test_share=20)
    experiments.set_variants(mailing, [("One", None), ("Two", None)])
    with pytest.raises(NotPossible):
        winners.declare_winner(mailing, 1)


def test_what_comes_after_the_choice_is_not_compared(make_test):
    mailing = make_test()
    record(mailing, 2, 1)
    winners.settle_due_tests(later(mailing))
    finish(mailing)
    moved = timezone.now() - timedelta(hours=1)
    Mailing.objects.filter(pk=mailing.pk).update(winner_at=moved)
    before = mailing.deliveries.filter(variant__gt=0).order_by("settled_at")[:8]
    Delivery.objects.filter(pk__in=[copy.pk for copy in before]).update(
        settled_at=moved - timedelta(minutes=1)
    )
    Event.objects.update(at=moved - timedelta(minutes=1))
    record(mailing, 2, 3, EventKind.CLICK, link=None)
    (one, two) = experiments.results_of([mailing])[mailing.pk]
    assert (one.sent, two.sent, two.clicked) == (4, 4, 1)


def test_results_cost_the_same_for_many_tests(make_test):
    mailings = [make_test(readers=2, share=100) for _ in range(3)]
    with CaptureQueriesContext(connection) as one:
        experiments.results_of(mailings[:1])
    with CaptureQueriesContext(connection) as three:
        assert len(experiments.results_of(mailings)) == 3
    assert len(one) == len(three) == 3


def test_a_mailing_with_a_single_variant_is_no_test(make_test):
    mailing = make_test(readers=3, share=None, subjects=("Only",))
    assert mailing.state == MailingState.SENT
    assert experiments.results_of([mailing]) == {}
    assert {message.subject for message in mail.outbox} == {"Only"}


def test_problems_of_a_variant_are_named(news):
    mailing = make_mailing(make_email(), news)
    empty = make_email("Empty", body=[])
    experiments.set_variants(mailing, [("", None), ("Hello {{ nobody }}", None), ("", empty)])
    problems = experiments.problems_with_variants(mailing)
    assert [problem[:9] for problem in problems] == ["Variant B", "Variant C"]
