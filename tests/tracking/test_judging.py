from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_email_insights.tracking.judging import Rules, Sighting, Sign, judge_copy, sweeps
from wagtail_email_insights.tracking.models import Verdict
from wagtail_email_insights.tracking.reasons import Reason

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
RULES = Rules()


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def clicks(*hits: tuple[float, int], verdict: str = "human", reason: str = "") -> list[Sighting]:
    """Clicks at so many seconds on such a link, numbered from 1."""
    return [
        Sighting(number, "click", after(seconds), link, verdict, reason)
        for number, (seconds, link) in enumerate(hits, start=1)
    ]


def opened(pk: int, seconds: float, verdict: str = "human", reason: str = "") -> Sighting:
    return Sighting(pk, "open", after(seconds), None, verdict, reason)


def trap(seconds: float) -> Sign:
    return Sign("trap", after(seconds), None)


def looked(seconds: float, link: int | None) -> Sign:
    return Sign("lookahead", after(seconds), link)


def machines(
    sightings: list[Sighting],
    *signs: Sign,
    handed_over_at: datetime | None = None,
    rules: Rules = RULES,
) -> dict[int, str]:
    """Reasons by the ids of those that become machines."""
    changes = judge_copy(sightings, signs, handed_over_at=handed_over_at, rules=rules)
    assert {judgement.verdict for judgement in changes.values()} <= {Verdict.MACHINE}
    return {pk: judgement.reason for pk, judgement in changes.items()}


class TestPeople:
    @pytest.mark.parametrize(
        "hits",
        [
            [(0, 1)],
            [(0, 1), (0.2, 1)],
            [(0, 1), (0.1, 1), (0.2, 1), (0.3, 1)],
            [(0, 1), (0.3, 2)],
            [(0, 1), (2.5, 2), (5, 3)],
            [(0, 1), (0.9, 2), (1.8, 3)],
            [(0, 1), (0.1, 2), (40, 1), (40.1, 3)],
        ],
        ids=[
            "one click",
            "a double click",
            "an impatient finger",
            "two links at once",
            "three links in five seconds",
            "three links, one a second",
            "two here and two there",
        ],
    )
    def test_stay_people(self, hits):
        assert machines(clicks(*hits)) == {}

    def test_who_open_the_mail_again_and_again_stay_people(self):
        assert machines([opened(number, number / 10) for number in range(1, 20)]) == {}

    def test_who_open_the_mail_between_two_clicks_stay_people(self):
        assert machines([*clicks((0, 1), (0.4, 2)), opened(9, 0.2)]) == {}

    def test_who_come_a_minute_after_a_scanner_stay_people(self):
        hits = clicks((0, 1), (0.1, 2), (0.2, 3), (60, 1), (64, 2))
        assert machines(hits, trap(0.1), looked(0, 1)) == {1: "trap", 2: "trap", 3: "trap"}


class TestTrap:
    def test_takes_in_what_the_copy_did_just_before_and_after(self):
        hits = [*clicks((-31, 1), (-30, 1), (0, 2), (30, 1), (31, 1)), opened(9, 5)]
        assert machines(hits, trap(0)) == dict.fromkeys([2, 3, 4, 9], "trap")

    def test_reaches_as_far_as_the_rules_say(self):
        assert machines(clicks((0, 1)), trap(8), rules=Rules(trap_seconds=5)) == {}

    def test_each_time_it_is_followed_counts(self):
        assert machines(clicks((0, 1), (500, 1)), trap(-400), trap(500)) == {2: "trap"}

    def test_is_a_stronger_sign_than_any_other(self):
        hits = clicks((0, 1), (0.1, 2), (0.2, 3))
        reasons = machines(hits, trap(0), looked(0, 1), handed_over_at=after(9))
        assert set(reasons.values()) == {"trap"}


class TestLookingAhead:
    def test_whoever_looks_ahead_and_then_comes_is_a_machine(self):
        assert machines(clicks((1, 7)), looked(0.8, 7)) == {1: "after_lookahead"}

    def test_what_comes_later_or_was_there_before_is_not_the_scanner(self):
        assert machines(clicks((-0.5, 7), (4, 7)), looked(0, 7)) == {}

    def test_one_link_says_nothing_about_another(self):
        assert machines(clicks((1, 8)), looked(0.8, 7)) == {}

    def test_a_pixel_can_be_looked_at_ahead_too(self):
        assert machines([opened(1, 1), *clicks((9, 7))], looked(0.5, None)) == {
            1: "after_lookahead"
        }

    def test_links_looked_at_make_up_a_burst_with_those_followed(self):
        hits = clicks((0.6, 3))
        assert machines(hits, looked(0, 1), looked(0.3, 2)) == {1: "burst"}


class TestBurst:
    def test_the_first_hits_are_folded_back(self):
        assert set(machines(clicks((0, 1), (0.4, 2), (0.8, 3)))) == {1, 2, 3}

    def test_what_follows_closely_belongs_to_it(self):
        hits = [*clicks((-0.9, 5), (0, 1), (0.4, 2), (0.8, 3), (1.7, 4), (2.6, 1)), opened(9, 3.5)]
        assert set(machines(hits)) == {1, 2, 3, 4, 5, 6, 9}

    def test_what_comes_after_a_pause_does_not(self):
        assert set(machines(clicks((0, 1), (0.4, 2), (0.8, 3), (1.9, 4)))) == {1, 2, 3}

    def test_the_span_is_meant_with_its_end(self):
        assert set(machines(clicks((0, 1), (0.5, 2), (1, 3), (2, 4)))) == {1, 2, 3, 4}

    def test_it_may_come_at_any_time_after_sending(self):
        late = 3 * 24 * 3600
        assert set(machines(clicks((late, 1), (late + 0.1, 2), (late + 0.2, 3)))) == {1, 2, 3}

    def test_attachments_and_the_web_version_are_part_of_it(self):
        kinds = ["click", "download", "web_view", "download"]
        hits = [
            hit._replace(kind=kind)
            for kind, hit in zip(kinds, clicks((0, 1), (0.1, 2), (0.2, 0), (0.3, 3)), strict=True)
        ]
        assert set(machines(hits)) == {1, 2, 3, 4}

    def test_thresholds_are_those_of_the_rules(self):
        hits = clicks((0, 1), (1.5, 2))
        assert set(machines(hits, rules=Rules(burst_links=2, burst_seconds=2))) == {1, 2}

    @pytest.mark.parametrize("burst_links", [0, 1])
    def test_a_threshold_that_everybody_reaches_switches_the_rule_off(self, burst_links):
        assert machines(clicks((0, 1), (0, 2)), rules=Rules(burst_links=burst_links)) == {}

    def test_thousands_of_hits_do_not_take_long(self):
        hits = clicks(*((number / 1000, number) for number in range(20_000)))
        assert len(machines(hits)) == 20_000


class TestProxies:
    def test_stay_what_they_are_whatever_happens_around_them(self):
        proxy = opened(9, 0.1, "proxy", "apple_privacy")
        hits = [*clicks((0, 1), (0.2, 2), (0.3, 3)), proxy]
        assert set(machines(hits, trap(0), handed_over_at=after(5))) == {1, 2, 3}

    def test_do_not_connect_what_lies_apart(self):
        proxy = opened(9, 1.5, "proxy", "image_proxy")
        assert set(machines([*clicks((0, 1), (0.1, 2), (0.8, 3), (2.3, 4)), proxy])) == {1, 2, 3}

    @pytest.mark.parametrize("kind", ["click", "download", "web_view"])
    def test_follow_no_links(self, kind):
        hit = clicks((0, 1), verdict="proxy", reason="apple_privacy")[0]._replace(kind=kind)
        assert machines([hit]) == {1: "proxy_click"}


class TestHandOver:
    def test_what_comes_before_it_is_no_reader(self):
        hits = [*clicks((0, 1), (3, 1)), opened(9, 1)]
        assert machines(hits, handed_over_at=after(3)) == dict.fromkeys([1, 9], "before_handover")

    def test_a_time_that_came_in_hours_later_accuses_nobody(self):
        assert machines(clicks((0, 1)), handed_over_at=after(7200)) == {}


class TestJudgingAgain:
    def test_a_verdict_without_its_cause_is_taken_back(self):
        hits = clicks((0, 1), verdict="machine", reason="burst")
        changes = judge_copy(hits, [], handed_over_at=None, rules=RULES)
        assert {pk: (j.verdict, j.reason) for pk, j in changes.items()} == {1: ("human", "")}

    @pytest.mark.parametrize("reason", ["declared_robot", "no_user_agent", "lookahead", "sweep"])
    def test_what_the_request_or_its_network_said_stays(self, reason):
        hits = clicks((0, 1), verdict="machine", reason=reason)
        assert machines(hits, trap(0), handed_over_at=after(9)) == {}

    def test_a_suspicion_stays_until_there_is_a_stronger_sign(self):
        hits = clicks((0, 1), verdict="suspected", reason="host")
        assert machines(hits) == {}
        assert machines(hits, trap(0)) == {1: "trap"}


hits_of_a_copy = st.lists(
    st.builds(
        lambda kind, seconds, link, said: Sighting(
            0, kind, after(seconds), link if kind in ("click", "download") else None, *said
        ),
        st.sampled_from(["open", "click", "download", "web_view"]),
        st.integers(0, 80).map(lambda tenths: tenths / 10),
        st.integers(1, 5),
        st.sampled_from(
            [
                ("human", ""),
                ("proxy", "apple_privacy"),
                ("machine", "declared_robot"),
                ("machine", "sweep"),
                ("suspected", "host"),
            ]
        ),
    ),
    max_size=12,
).map(lambda hits: [hit._replace(id=pk) for pk, hit in enumerate(hits, start=1)])
signs_of_a_copy = st.lists(
    st.builds(
        Sign,
        st.sampled_from(["trap", "lookahead"]),
        st.integers(0, 80).map(lambda tenths: after(tenths / 10)),
        st.none() | st.integers(1, 5),
    ),
    max_size=3,
)
moments = st.none() | st.integers(0, 80).map(lambda tenths: after(tenths / 10))
narrow = Rules(trap_seconds=0.5)


def judged(hits: list[Sighting], signs: list[Sign], at: datetime | None) -> list[Sighting]:
    changes = judge_copy(hits, signs, handed_over_at=at, rules=narrow)
    return [
        hit._replace(verdict=changes[hit.id].verdict.value, reason=changes[hit.id].reason)
        if hit.id in changes
        else hit
        for hit in hits
    ]


@given(hits_of_a_copy, signs_of_a_copy, moments)
def test_judging_again_changes_nothing(hits, signs, at):
    once = judged(hits, signs, at)
    assert judge_copy(once, signs, handed_over_at=at, rules=narrow) == {}


@given(hits_of_a_copy, signs_of_a_copy, moments, st.integers(0, 1000))
def test_it_does_not_matter_in_which_order_hits_and_signs_arrive(hits, signs, at, seed):
    arriving = list(hits)
    chance = random.Random(seed)
    chance.shuffle(arriving)
    present: list[Sighting] = []
    for number, hit in enumerate(arriving):
        present = judged([*present, hit], signs[:number], at)
    assert sorted(judged(present, signs, at)) == sorted(judged(hits, signs, at))


@given(hits_of_a_copy, signs_of_a_copy, moments)
def test_every_new_verdict_has_a_reason_that_is_explained(hits, signs, at):
    for judgement in judge_copy(hits, signs, handed_over_at=at, rules=narrow).values():
        assert judgement.reason in Reason.values


def from_network(
    *hits: tuple[int, float], network: int = 7, **fields: str
) -> list[tuple[int, Sighting]]:
    """Clicks in such a copy after so many seconds; the copy is the id too."""
    return [
        (copy, Sighting(copy, "click", after(seconds), 1, "human", "", network)._replace(**fields))
        for copy, seconds in hits
    ]


class TestSweeps:
    TEN = [(copy, copy / 2) for copy in range(1, 11)]

    def test_one_network_in_many_copies_at_once_is_a_machine(self):
        found = sweeps(from_network(*self.TEN), RULES)
        assert {pk: (j.verdict, j.reason) for pk, j in found.items()} == dict.fromkeys(
            range(1, 11), ("machine", "sweep")
        )

    def test_an_office_is_not(self):
        assert sweeps(from_network(*((copy, copy * 3) for copy in range(1, 60))), RULES) == {}

    def test_clicking_much_in_few_copies_is_not(self):
        hits = from_network(*((copy % 9, copy / 10) for copy in range(60)))
        assert sweeps(hits, RULES) == {}

    def test_only_those_within_the_span_are_found(self):
        assert set(sweeps(from_network(*self.TEN, (40, 60)), RULES)) == set(range(1, 11))

    def test_several_networks_together_are_the_world(self):
        hits = from_network(*self.TEN[:5]) + from_network(*self.TEN[5:], network=8)
        assert sweeps(hits, RULES) == {}

    def test_an_unknown_network_is_no_network(self):
        assert sweeps(from_network(*self.TEN, network=0), RULES) == {}

    def test_opens_are_left_alone(self):
        assert sweeps(from_network(*self.TEN, kind="open"), RULES) == {}

    def test_what_is_a_machine_already_counts_and_keeps_its_reason(self):
        scanner = from_network(*self.TEN[:9], verdict="machine", reason="burst")
        assert set(sweeps(scanner + from_network((10, 5)), RULES)) == {10}

    def test_zero_switches_the_rule_off(self):
        assert sweeps(from_network(*self.TEN), Rules(sweep_copies=0)) == {}


def test_the_rules_are_those_of_the_settings(settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {
        "trap_seconds": 1.0,
        "burst_links": 2,
        "burst_seconds": 3.0,
        "sweep_copies": 4,
        "sweep_seconds": 5.0,
    }
    assert Rules.from_settings() == Rules(1.0, 2, 3.0, 4, 5.0)


def test_without_settings_the_defaults_are_the_same_here_and_there(settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {}
    assert Rules.from_settings() == Rules()
