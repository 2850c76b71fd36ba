from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_contact, make_mailing
from wagtail_email_insights.mailings.models import Delivery, DeliveryState, Mailing
from wagtail_email_insights.tracking import ledger, rejudging, tallies
from wagtail_email_insights.tracking.judging import Rules
from wagtail_email_insights.tracking.models import Event, Probe, Scope, Tally, TrackedLink
from wagtail_email_insights.tracking.rejudging import rejudge
from wagtail_email_insights.tracking.verdicts import RULE_VERSION

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
RULES = Rules()


@pytest.fixture
def mailing() -> Mailing:
    mailing = make_mailing()
    TrackedLink.objects.bulk_create(
        TrackedLink(mailing=mailing, position=position, url=f"https://example.com/{position}")
        for position in range(4)
    )
    return mailing


def click(mailing: Mailing, copy: int | None, seconds: float, position: int = 0, **fields) -> Event:
    fields = {
        "kind": "click",
        "at": START + timedelta(seconds=seconds),
        "link": mailing.links.all()[position],
        "copy": copy,
        "rule": 1,
    } | fields
    return ledger.store([Event(mailing=mailing, **fields)])[0]


def sweep_over(mailing: Mailing, copy: int, **fields) -> None:
    for position in range(4):
        click(mailing, copy, position / 10, position, **fields)


def delivered(mailing: Mailing, state: str = DeliveryState.SENT) -> Delivery:
    return Delivery.objects.create(
        mailing=mailing, contact=make_contact(), state=state, settled_at=START, identified=True
    )


def verdicts(mailing: Mailing) -> list[tuple[str, str]]:
    return list(mailing.events.order_by("at", "pk").values_list("verdict", "verdict_reason"))


def test_a_burst_of_the_past_is_found_and_leaves_the_figures(mailing):
    sweep_over(mailing, -1)
    click(mailing, -2, 0)
    assert rejudge(mailing) == 4
    assert verdicts(mailing).count(("machine", "burst")) == 4
    people = Tally.objects.get(mailing=mailing, scope=Scope.PEOPLE, dimension="")
    assert (people.clicked, people.clicks) == (1, 1)
    assert tallies.audit(mailing) == []


def test_looser_rules_take_verdicts_back(mailing):
    sweep_over(mailing, -1, verdict="machine", verdict_reason="burst")
    assert rejudge(mailing, Rules(burst_links=9)) == 4
    assert set(verdicts(mailing)) == {("human", "")}
    assert tallies.audit(mailing) == []


def test_a_second_time_changes_nothing(mailing):
    sweep_over(mailing, -1)
    rejudge(mailing)
    assert rejudge(mailing) == 0


def test_everything_looked_at_says_by_which_rules(mailing):
    sweep_over(mailing, -1)
    click(mailing, -2, 0)
    rejudge(mailing)
    assert set(mailing.events.values_list("rule", flat=True)) == {RULE_VERSION}


def test_signs_kept_beside_the_events_count(mailing):
    click(mailing, -1, 0)
    Probe.objects.create(mailing=mailing, copy=-1, at=START, evidence="trap")
    assert rejudge(mailing) == 1
    assert verdicts(mailing) == [("machine", "trap")]


def test_one_copy_says_nothing_about_another(mailing):
    for copy in (-1, -2, -3):
        click(mailing, copy, 0, -copy)
    Probe.objects.create(mailing=mailing, copy=-4, at=START, evidence="trap")
    assert rejudge(mailing) == 0


def test_another_mailing_is_left_alone(mailing):
    other = make_mailing()
    TrackedLink.objects.bulk_create(
        TrackedLink(mailing=other, position=position, url="https://example.org")
        for position in range(4)
    )
    sweep_over(other, -1)
    rejudge(mailing)
    assert set(verdicts(other)) == {("human", "")}


def test_what_came_before_an_identified_copy_had_arrived_is_no_reader(mailing):
    click(mailing, delivered(mailing).pk, -2)
    assert rejudge(mailing) == 1
    assert verdicts(mailing) == [("machine", "before_handover")]


def test_of_a_copy_not_sent_nobody_knows_when_it_arrived(mailing):
    click(mailing, delivered(mailing, DeliveryState.UNCERTAIN).pk, -2)
    assert rejudge(mailing) == 0


def test_a_network_that_was_forgotten_is_believed(mailing):
    click(mailing, -1, 0, verdict="machine", verdict_reason="sweep")
    assert rejudge(mailing) == 0


def test_events_that_belong_to_no_copy_stay(mailing):
    for position in range(4):
        click(mailing, None, position / 10, position)
    assert rejudge(mailing) == 0


def test_unsubscribing_is_nothing_to_judge(mailing):
    sweep_over(mailing, -1)
    Event.objects.create(mailing=mailing, kind="unsubscribe", copy=-1, at=START)
    rejudge(mailing)
    assert mailing.events.get(kind="unsubscribe").verdict == "human"


def test_many_copies_are_judged_batch_by_batch(mailing, monkeypatch):
    monkeypatch.setattr(rejudging, "BATCH_COPIES", 2)
    copies = [-3, -2, -1, delivered(mailing).pk, delivered(mailing).pk]
    for copy in copies:
        sweep_over(mailing, copy)
    assert rejudge(mailing) == 20
    assert tallies.audit(mailing) == []


def test_a_batch_costs_the_same_whatever_is_in_it(mailing):
    few, many = ([delivered(mailing).pk for _ in range(number)] for number in (1, 20))
    for copy in few + many:
        sweep_over(mailing, copy, at=START + timedelta(seconds=1))

    def cost(copies: list[int]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert rejudging.judge_copies(mailing.pk, copies, RULES) == 4 * len(copies)
        return len(queries)

    assert cost(few) == cost(many) == 4
