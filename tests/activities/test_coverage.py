from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_contact, make_email, make_mailing
from wagtail_email_insights.activities.coverage import Coverage, Heard, coverage_of
from wagtail_email_insights.mailings.models import Delivery, DeliveryState
from wagtail_email_insights.statistics.figures import figures_for_email
from wagtail_email_insights.tracking import ledger
from wagtail_email_insights.tracking.models import Event, MailingTotals

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailing():
    """Two copies, one of them to somebody who may be known, and four clicks."""
    mailing = make_mailing(make_email(), state="sent")
    for identified, state in [(True, "sent"), (False, "sent"), (True, "failed")]:
        Delivery.objects.create(
            mailing=mailing,
            contact=make_contact(),
            identified=identified,
            state=DeliveryState(state),
        )
    known = mailing.deliveries.get(identified=True, state="sent")
    ledger.store(
        [
            event(mailing, "click", contact=known.contact, copy=known.pk),
            event(mailing, "open", contact=known.contact, copy=known.pk, verdict="proxy"),
            event(mailing, "click", copy=-5),
            event(mailing, "click", copy=-5, verdict="suspected"),
            event(mailing, "click", copy=-6, verdict="machine"),
        ]
    )
    return mailing


def event(mailing, kind: str, **fields) -> Event:
    return Event(mailing=mailing, kind=kind, **fields)


def test_clicks_are_those_of_the_known_of_others_and_of_machines(mailing):
    coverage = coverage_of([mailing.pk])
    assert coverage == Coverage(sent=2, identified=1, clicks=Heard(3, 1, 1), opens=Heard(1, 1, 0))
    assert coverage.clicks.nameless == 2
    assert not coverage.is_nameless


def test_the_statistics_show_the_same_number(mailing):
    figures = figures_for_email(mailing.email)
    coverage = coverage_of([mailing.pk])
    assert figures["clicked"].total == coverage.clicks.counted
    assert figures["sent"].value == coverage.sent


def test_as_many_as_may_be_known_are_listed(mailing):
    listed = Event.objects.activities().filter(mailing=mailing)
    coverage = coverage_of([mailing.pk])
    assert listed.filter(kind="click").count() == coverage.clicks.known
    assert listed.filter(kind="open").count() == coverage.opens.known


def test_mailings_are_added_up_in_as_many_queries_as_one(mailing):
    other = make_mailing(mailing.email, state="sent")
    ledger.store([event(other, "click", copy=-7)])
    with CaptureQueriesContext(connection) as of_one:
        coverage_of([mailing.pk])
    with CaptureQueriesContext(connection) as of_both:
        assert coverage_of([mailing.pk, other.pk]).clicks.counted == 4
    assert len(of_both) == len(of_one)


def test_it_says_when_single_events_were_deleted(mailing):
    assert coverage_of([mailing.pk]).events_removed_at is None
    moment = datetime(2026, 5, 3, tzinfo=UTC)
    MailingTotals.objects.filter(pk=mailing.pk).update(events_removed_at=moment)
    other = make_mailing(mailing.email, state="sent")
    assert coverage_of([mailing.pk, other.pk]).events_removed_at == moment
    assert coverage_of([other.pk]).events_removed_at is None


def test_only_nameless_clicks_are_called_that():
    mailing = make_mailing(make_email(), state="sent")
    assert not coverage_of([mailing.pk]).is_nameless
    ledger.store([event(mailing, "click", copy=-7)])
    assert coverage_of([mailing.pk]).is_nameless
