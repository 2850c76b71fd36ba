from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.factories import make_contact, make_email, make_mailing
from wagtail_email_insights.mailings.models import (
    Delivery,
    DeliveryState,
    MailingContent,
    MailingState,
)
from wagtail_email_insights.statistics.figures import (
    figures_for,
    figures_for_all,
    figures_for_email,
    links_for,
)
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink, Verdict

STATES = [state.value for state in DeliveryState]
events = st.lists(
    st.tuples(
        st.sampled_from([EventKind.OPEN, EventKind.CLICK, EventKind.UNSUBSCRIBE]),
        st.integers(0, 5),
        st.sampled_from(list(Verdict)),
    ),
    max_size=25,
)
worlds = st.tuples(st.lists(st.sampled_from(STATES), max_size=6), events)


def build(states, happened):
    """Make a mailing with copies in *states* and the events *happened*; copy 0 is unknown."""
    mailing = make_mailing(make_email(), state=MailingState.SENT)
    MailingContent.objects.create(mailing=mailing, anonymous_counting="per_copy")
    link = TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.com/")
    for state in states:
        Delivery.objects.create(mailing=mailing, contact=make_contact(), state=state)
    for kind, copy, verdict in happened:
        Event.objects.create(
            kind=kind,
            mailing=mailing,
            copy=-(mailing.pk * 100 + copy) if copy else None,
            link=link if kind == EventKind.CLICK else None,
            verdict=verdict,
        )
    return mailing


class FiguresTest(TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(worlds)
    def test_figures_are_what_counting_by_hand_gives(self, world):
        states, happened = world
        mailing = build(states, happened)
        figures = figures_for(mailing)
        people = [(kind, copy) for kind, copy, verdict in happened if verdict != Verdict.MACHINE]
        clicked = {copy for kind, copy in people if kind == EventKind.CLICK and copy}
        opened = clicked | {copy for kind, copy in people if kind == EventKind.OPEN and copy}
        left = {copy for kind, copy, _ in happened if kind == EventKind.UNSUBSCRIBE and copy}
        sent = states.count("sent")
        attempted = len(states) - states.count("skipped")
        assert (figures["sent"].value, figures["sent"].denominator) == (sent, attempted)
        assert (figures["delivered"].value, figures["delivered"].denominator) == (sent, sent)
        assert (figures["opened"].value, figures["opened"].denominator) == (len(opened), sent)
        assert (figures["clicked"].value, figures["clicked"].denominator) == (len(clicked), sent)
        assert figures["clicked"].total == sum(kind == EventKind.CLICK for kind, _ in people)
        assert figures["opened"].total == sum(kind == EventKind.OPEN for kind, _ in people)
        assert figures["click_to_open"].denominator == len(opened)
        assert figures["unsubscribed"].value == len(left)
        (link,) = links_for([mailing])
        assert (link.clicked, link.clicks_total) == (len(clicked), figures["clicked"].total)

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(worlds, worlds)
    def test_several_mailings_are_sums_over_sums(self, first, second):
        one, two = build(*first), build(*second)
        together = figures_for_all([one, two])
        for figure in together:
            parts = [figures_for(mailing)[figure.code] for mailing in (one, two)]
            assert figure.value == sum(part.value for part in parts)
            assert figure.denominator == sum(part.denominator for part in parts)


@pytest.mark.django_db
def test_what_came_back_was_not_delivered():
    mailing = build(["sent"] * 5 + ["failed", "uncertain"], [])
    copies = list(mailing.deliveries.order_by("pk").values_list("pk", flat=True))
    happened = [
        [EventKind.SOFT_BOUNCE, EventKind.SOFT_BOUNCE],
        [EventKind.SOFT_BOUNCE, EventKind.HARD_BOUNCE],
        [EventKind.SOFT_BOUNCE, EventKind.DELIVERED],
        [EventKind.COMPLAINT, EventKind.REPLY, EventKind.AUTO_REPLY],
        [],
        # Never counted as sent, so nothing to take off.
        [EventKind.HARD_BOUNCE],
        [EventKind.SOFT_BOUNCE],
    ]
    for copy, kinds in zip(copies, happened, strict=True):
        for kind in kinds:
            Event.objects.create(kind=kind, mailing=mailing, copy=copy)
    figures = figures_for(mailing)
    assert (figures["bounced"].value, figures["bounced"].denominator) == (2, 5)
    assert (figures["delivered"].value, figures["delivered"].denominator) == (3, 5)
    assert (figures["complained"].value, figures["complained"].denominator) == (1, 3)
    assert (figures["opened"].denominator, figures["clicked"].denominator) == (3, 3)
    assert figures["replied"].value == 1


@pytest.mark.django_db
def test_rates_are_of_copies_that_can_be_told_apart():
    mailing = build(["sent"] * 10, [])
    mailing.contents.update(anonymous_counting="shared")
    known = mailing.deliveries.order_by("pk").first()
    mailing.deliveries.filter(pk=known.pk).update(identified=True)
    Event.objects.create(kind=EventKind.CLICK, mailing=mailing, copy=known.pk)
    for _ in range(3):
        Event.objects.create(kind=EventKind.CLICK, mailing=mailing, copy=None)
    clicked = figures_for(mailing)["clicked"]
    assert (clicked.value, clicked.denominator, clicked.total) == (1, 1, 4)
    assert clicked.denominator_label == "delivered and told apart"


@pytest.mark.django_db
def test_figures_that_nobody_reports_are_absent(settings):
    absent = {"bounced", "complained", "replied"}
    assert not absent & set(figures_for(build(["sent"], [])).by_code)
    settings.WAGTAIL_EMAIL_INSIGHTS = {"mailboxes": [{"host": "127.0.0.1"}]}
    figures = figures_for(build(["sent"], []))
    assert (figures["bounced"].value, figures["replied"].value) == (0, 0)
    assert "complained" not in figures.by_code


@pytest.mark.django_db
def test_nothing_divided_by_nothing_is_no_rate():
    figures = figures_for(make_mailing())
    assert [figure.rate for figure in figures] == [None] * 6
    assert figures.coverage.rate is None


@pytest.mark.django_db
def test_a_draft_mailing_is_no_part_of_an_emails_figures():
    mailing = build(["sent"], [])
    Event.objects.create(kind=EventKind.CLICK, mailing=mailing, copy=-1)
    assert mailing.started_at is None
    mailing.state = MailingState.DRAFT
    mailing.save()
    assert figures_for_email(mailing.email)["clicked"].value == 0


@pytest.mark.django_db
def test_every_figure_explains_itself():
    for figure in figures_for(make_mailing()):
        assert str(figure.label)
        assert len(str(figure.hint)) > 30
        assert figure.denominator_label
