"""Sums that are kept while events are recorded are the sums of these events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.factories import make_contact, make_mailing
from wagtail_email_insights.mailings.models import Delivery
from wagtail_email_insights.tracking import ledger, retention, tallies, tasks, totals
from wagtail_email_insights.tracking.actions import strip_contact
from wagtail_email_insights.tracking.models import (
    Event,
    EventKind,
    MailingTotals,
    Tally,
    TrackedLink,
    Verdict,
)

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

happened = st.tuples(
    st.sampled_from([kind.value for kind in EventKind]),
    st.integers(0, 4),
    st.integers(0, 2),
    st.sampled_from([verdict.value for verdict in Verdict]),
    st.integers(0, 300),
)
steps = st.lists(
    st.one_of(
        st.lists(happened, max_size=8),
        st.tuples(st.just("judge"), st.integers(1, 4), st.sampled_from([v.value for v in Verdict])),
        st.tuples(st.just("strip"), st.integers(0, 1)),
    ),
    max_size=6,
)


class TalliesTest(TestCase):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(steps)
    def test_whatever_happens_in_whatever_order_the_sums_hold(self, story):
        mailing = make_mailing(state="sent", started_at=NOW, finished_at="2020-01-01T00:00Z")
        people = [make_contact(agrees=True) for _ in range(2)]
        deliveries = [
            Delivery.objects.create(mailing=mailing, contact=person, state="sent", identified=True)
            for person in people
        ]
        links = [
            TrackedLink.objects.create(mailing=mailing, position=n, url=f"https://e.com/{n}")
            for n in range(3)
        ]
        copies = [None, deliveries[0].pk, deliveries[1].pk, -1, -2]
        for step in story:
            if step and step[0] == "judge":
                _, copy, verdict = step
                with ledger.keeping_tallies(mailing.pk, [copies[copy]]):
                    Event.objects.filter(mailing=mailing, copy=copies[copy]).update(verdict=verdict)
            elif step and step[0] == "strip":
                strip_contact(people[step[1]])
            else:
                ledger.store(
                    [
                        Event(
                            kind=kind,
                            mailing=mailing,
                            copy=copies[copy],
                            contact=people[copy - 1] if copy in (1, 2) else None,
                            link=links[link] if kind in ("click", "download") else None,
                            verdict=verdict,
                            at=NOW + timedelta(minutes=minutes),
                        )
                        for kind, copy, link, verdict, minutes in step
                    ]
                )
            assert tallies.audit(mailing) == []
            stored = totals.totals_of([mailing.pk])[mailing.pk]
            counted = totals.count_copies([mailing.pk])[mailing.pk]
            assert {name: getattr(stored, name) for name in totals.COUNTED} == {
                name: counted[name] for name in totals.COUNTED
            }


@pytest.fixture
def clicked():
    mailing = make_mailing(state="sent", started_at=NOW, finished_at=NOW)
    link = TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.com/")
    ledger.store([Event(kind="click", mailing=mailing, copy=-n, link=link, at=NOW) for n in (1, 2)])
    return mailing


@pytest.mark.django_db
def test_a_planted_error_is_found_and_mended(clicked, capsys):
    call_command("email_insights", "audit")
    Tally.objects.filter(mailing=clicked, scope=1, dimension="").update(clicked=5)
    Event.objects.filter(mailing=clicked, copy=-1).delete()
    with pytest.raises(CommandError, match="numbers are wrong"):
        call_command("email_insights", "audit", str(clicked.pk))
    assert "clicked [readers all]: 5 stored, 1 counted" in capsys.readouterr().out
    call_command("email_insights", "rebuild_figures", str(clicked.pk))
    call_command("email_insights", "audit", str(clicked.pk))
    assert Tally.objects.get(mailing=clicked, scope=1, dimension="").clicked == 1


@pytest.mark.django_db
def test_an_error_in_the_sums_of_copies_is_found_and_mended(clicked, capsys):
    Delivery.objects.create(mailing=clicked, contact=make_contact(), state="sent")
    type(clicked).objects.filter(pk=clicked.pk).update(finished_at="2020-01-01T00:00Z")
    assert totals.totals_of([clicked.pk])[clicked.pk].sent == 1
    call_command("email_insights", "audit")
    MailingTotals.objects.filter(pk=clicked.pk).update(sent=7)
    with pytest.raises(CommandError, match="numbers are wrong"):
        call_command("email_insights", "audit")
    assert "sent [everything copies]: 7 stored, 1 counted" in capsys.readouterr().out
    call_command("email_insights", "rebuild_figures")
    call_command("email_insights", "audit")
    assert totals.totals_of([clicked.pk])[clicked.pk].sent == 1


@pytest.mark.django_db
def test_a_mailing_from_before_there_were_sums_is_caught_up_with():
    mailing = make_mailing(state="sent", started_at=NOW)
    Event.objects.create(kind="open", mailing=mailing, copy=-1, at=NOW)
    ledger.store([Event(kind="open", mailing=mailing, copy=-1, at=NOW)])
    assert tallies.audit(mailing) == []
    assert Tally.objects.get(mailing=mailing, scope=1, dimension="").opens == 2


@pytest.mark.django_db
def test_mailings_from_before_there_were_sums_are_caught_up_with_once_a_day():
    mailing = make_mailing(state="sent", started_at=NOW)
    Event.objects.create(kind="open", mailing=mailing, copy=-1, at=NOW)
    totals.totals_of([mailing.pk])
    assert tasks.tidy() is None
    assert Tally.objects.get(mailing=mailing, scope=1, dimension="").opens == 1
    with CaptureQueriesContext(connection) as queries:
        assert tallies.catch_up() == 0
    assert len(queries) == 1


@pytest.mark.django_db
def test_who_is_erased_leaves_the_sums_as_they_were():
    contact = make_contact(agrees=True)
    mailing = make_mailing(state="sent", started_at=NOW, finished_at=NOW)
    delivery = Delivery.objects.create(
        mailing=mailing, contact=contact, state="sent", identified=True
    )
    ledger.store([Event(kind="click", mailing=mailing, copy=delivery.pk, contact=contact, at=NOW)])
    contact.delete()
    assert tallies.audit(mailing) == []
    assert Tally.objects.get(mailing=mailing, scope=1, dimension="").clicked == 1
    assert Event.objects.get().copy < 0


@pytest.mark.django_db
def test_an_unknown_mailing_is_named(clicked):
    with pytest.raises(CommandError, match="no mailing 99999"):
        call_command("email_insights", "audit", "99999")


@pytest.mark.django_db
class TestCopies:
    @pytest.fixture
    def sent(self):
        mailing = make_mailing(state="sent", started_at=NOW, finished_at=NOW)
        mailing.contents.create(anonymous_counting="per_copy")
        for state in ("sent", "sent", "sent", "failed", "uncertain", "skipped"):
            Delivery.objects.create(mailing=mailing, contact=make_contact(), state=state)
        return mailing

    def test_they_are_counted_once_and_kept(self, sent, django_assert_num_queries):
        ledger.store([Event(kind="open", mailing=sent, copy=-1, at=NOW)])
        mailing = type(sent).objects.get(pk=sent.pk)
        type(sent).objects.filter(pk=sent.pk).update(finished_at="2020-01-01T00:00Z")
        counted = totals.totals_of([mailing.pk])[mailing.pk]
        assert (counted.audience, counted.attempted, counted.sent) == (6, 5, 3)
        assert (counted.failed, counted.uncertain, counted.told_apart) == (1, 1, 3)
        with django_assert_num_queries(1):
            assert totals.totals_of([mailing.pk])[mailing.pk].sent == 3

    def test_a_bounce_is_noticed(self, sent):
        type(sent).objects.filter(pk=sent.pk).update(finished_at="2020-01-01T00:00Z")
        copy = sent.deliveries.filter(state="sent").first()
        ledger.store([Event(kind="open", mailing=sent, copy=-1, at=NOW)])
        assert totals.totals_of([sent.pk])[sent.pk].hard_bounced == 0
        ledger.store([Event(kind="hard_bounce", mailing=sent, copy=copy.pk, at=NOW)])
        assert totals.totals_of([sent.pk])[sent.pk].hard_bounced == 1

    @pytest.mark.parametrize("bounce", ["hard_bounce", "soft_bounce"])
    def test_what_a_reader_has_opened_has_arrived(self, sent, bounce):
        """Else more copies would be opened than arrived."""
        type(sent).objects.filter(pk=sent.pk).update(finished_at="2020-01-01T00:00Z")
        copy = sent.deliveries.filter(state="sent").first()

        def returned() -> int:
            counted = totals.totals_of([sent.pk])[sent.pk]
            return counted.hard_bounced + counted.soft_bounced

        def happen(kind: str, **fields) -> None:
            ledger.store([Event(kind=kind, mailing=sent, copy=copy.pk, at=NOW, **fields)])

        happen(bounce)
        assert returned() == 1
        happen("click", verdict="machine")
        assert returned() == 1
        happen("open")
        assert returned() == 0

    def test_an_answer_that_is_old_news_is_not_kept(self, sent, monkeypatch):
        type(sent).objects.filter(pk=sent.pk).update(finished_at="2020-01-01T00:00Z")
        ledger.store([Event(kind="open", mailing=sent, copy=-1, at=NOW)])
        count = totals.count_copies

        def meanwhile(ids):
            counted = count(ids)
            sent.deliveries.filter(state="uncertain").update(state="sent")
            totals.forget([sent.pk])
            return counted

        with monkeypatch.context() as patch:
            patch.setattr(totals, "count_copies", meanwhile)
            totals.totals_of([sent.pk])
        assert totals.totals_of([sent.pk])[sent.pk].sent == 4


@pytest.mark.django_db
class TestRetention:
    @pytest.fixture(autouse=True)
    def _days(self, settings):
        settings.WAGTAIL_EMAIL_INSIGHTS = {"retention_days": 30}

    def test_old_events_go_and_figures_stay(self, clicked):
        Event.objects.create(kind="subscribe", contact=make_contact(), at=NOW)
        before = Tally.objects.filter(mailing=clicked).order_by("pk").values()
        before = list(before)
        assert retention.forget_old(now=NOW + timedelta(days=31)) == 3
        assert list(Tally.objects.filter(mailing=clicked).order_by("pk").values()) == before
        assert not tallies.rebuild(clicked)
        assert tallies.audit(clicked) == []
        assert Tally.objects.get(mailing=clicked, scope=1, dimension="").clicked == 2

    def test_what_happens_afterwards_counts_in_totals_only(self, clicked):
        retention.forget_old(now=NOW + timedelta(days=31))
        ledger.store([Event(kind="open", mailing=clicked, copy=-1, at=NOW + timedelta(days=32))])
        tally = Tally.objects.get(mailing=clicked, scope=1, dimension="")
        assert (tally.opened, tally.opens) == (2, 1)

    def test_bounces_are_not_forgotten_with_their_events(self, clicked):
        copy = Delivery.objects.create(mailing=clicked, contact=make_contact(), state="sent")
        ledger.store([Event(kind="hard_bounce", mailing=clicked, copy=copy.pk, at=NOW)])
        type(clicked).objects.filter(pk=clicked.pk).update(finished_at="2020-01-01T00:00Z")
        retention.forget_old(now=NOW + timedelta(days=31))
        totals.forget([clicked.pk])
        assert totals.totals_of([clicked.pk])[clicked.pk].hard_bounced == 1

    def test_young_events_stay(self, clicked):
        assert retention.forget_old(now=NOW + timedelta(days=29)) == 0

    def test_without_the_setting_nothing_goes(self, clicked, settings):
        settings.WAGTAIL_EMAIL_INSIGHTS = {}
        assert retention.forget_old(now=NOW + timedelta(days=9999)) == 0
        with pytest.raises(CommandError, match="not set"):
            call_command("email_insights", "forget_old")
