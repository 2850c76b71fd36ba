from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Site

from tests.factories import make_list
from tests.statistics.sent import copies_of, happen, make_link, make_sent, moment
from wagtail_email_insights.mailings.models import Mailing, MailingState
from wagtail_email_insights.site_settings.models import Sender
from wagtail_email_insights.statistics.overview import RIPE, OverviewFilters, overview

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_mailings_count(settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"ranking_floor": 2}


def march(**filters) -> OverviewFilters:
    return OverviewFilters(start=moment("2026-03-01"), end=moment("2026-04-01"), **filters)


def sent_on(day: str, *, size: int = 2, clicks: int = 0, **fields):
    mailing = make_sent(*["sent"] * size, started_at=moment(day), **fields)
    make_link(mailing)
    for key in range(clicks):
        happen(mailing, "click", -key - 1)
    return mailing


def test_sums_over_sums_and_the_span_before_for_comparison():
    sent_on("2026-03-02", size=2, clicks=2)
    sent_on("2026-03-31 23:59", size=8)
    sent_on("2026-02-20", size=4, clicks=1)
    sent_on("2026-04-01")
    shown = overview(march())
    assert (shown.totals["clicked"].rate, shown.totals["clicked"].denominator) == (0.2, 10)
    assert shown.previous["clicked"].rate == 0.25
    assert [row.mailing.started_at.day for row in shown.rows] == [31, 2]


def test_drafts_are_no_part_of_it():
    mailing = sent_on("2026-03-02")
    mailing.state = "draft"
    mailing.save()
    assert overview(march()).rows == []


def test_an_empty_span_has_figures_and_a_flat_trend():
    shown = overview(march())
    assert shown.totals["sent"].value == 0
    assert [point.mailings for point in shown.trend] == [0] * 31
    assert (shown.best, shown.worst) == ([], [])


@pytest.mark.parametrize(
    ("end", "unit", "points"),
    [("2026-03-08", "day", 7), ("2026-06-01", "week", 14), ("2027-03-01", "month", 12)],
)
def test_the_longer_the_span_the_coarser_its_trend(end, unit, points):
    sent_on("2026-03-05", clicks=1)
    filters = OverviewFilters(start=moment("2026-03-01"), end=moment(end))
    shown = overview(filters)
    assert (shown.unit, len(shown.trend)) == (unit, points)
    assert sum(point.figures["clicked"].value for point in shown.trend) == 1


def test_weeks_begin_on_mondays_and_days_where_the_reader_is():
    sent_on("2026-03-08 22:30")
    filters = OverviewFilters(start=moment("2026-03-01"), end=moment("2026-06-01"))
    with timezone.override("Asia/Tokyo"):
        [week] = [point for point in overview(filters).trend if point.mailings]
        assert week.start.isoformat() == "2026-03-09T00:00:00+09:00"


def test_best_and_worst_never_share_a_mailing_and_need_enough_copies():
    rates = [sent_on(f"2026-03-0{day}", clicks=day - 1) for day in (1, 2, 3)]
    too_small = sent_on("2026-03-09", size=1, clicks=1)
    shown = overview(march())
    assert [row.mailing for row in shown.best] == [rates[2]]
    assert [row.mailing for row in shown.worst] == [rates[0]]
    assert too_small in [row.mailing for row in shown.rows]


def test_what_readers_had_no_time_for_is_not_called_the_worst():
    now = timezone.now()
    old = [make_sent("sent", "sent", started_at=now - timedelta(days=day)) for day in (1, 2)]
    young = make_sent("sent", "sent", started_at=now - RIPE + timedelta(minutes=1))
    slow = make_sent("sent", "sent", started_at=now - timedelta(days=3))
    Mailing.objects.filter(pk=slow.pk).update(finished_at=now - timedelta(hours=1))
    under_way = make_sent("sent", "sent", started_at=now - timedelta(days=3))
    Mailing.objects.filter(pk=under_way.pk).update(state=MailingState.SENDING)
    for mailing in Mailing.objects.all():
        make_link(mailing)
    shown = overview(OverviewFilters.last_days())
    ranked = {row.mailing.pk for row in [*shown.best, *shown.worst]}
    assert ranked == {mailing.pk for mailing in old}
    assert young.pk not in ranked


def test_without_a_link_nothing_can_be_clicked_and_nothing_is_ranked():
    with_links = [sent_on(f"2026-03-0{day}", clicks=1) for day in (1, 2)]
    without = sent_on("2026-03-03")
    without.links.all().delete()
    shown = overview(march())
    assert {row.mailing for row in [*shown.best, *shown.worst]} == set(with_links)


def test_enough_copies_are_those_that_the_rate_is_of():
    """One of one is no hundred per cent, however many copies are not told apart."""
    told_apart = [sent_on(f"2026-03-0{day}", clicks=day) for day in (1, 2)]
    hardly = make_sent("known", "sent", "sent", counting="shared", started_at=moment("2026-03-04"))
    happen(hardly, "click", copies_of(hardly)[0], link=make_link(hardly))
    shown = overview(march())
    assert {row.mailing for row in [*shown.best, *shown.worst]} == set(told_apart)


def test_one_mailing_alone_is_neither_best_nor_worst():
    sent_on("2026-03-02", clicks=1)
    assert overview(march()).best == []


def test_filters_narrow_to_a_list_a_sender_and_a_site():
    news = make_list("News")
    sender = Sender.objects.create(name="Desk", from_email="desk@example.org")
    site = Site.objects.get()
    to_list = sent_on("2026-03-02", to_all_lists=False)
    to_list.recipient_lists.add(news)
    to_all = sent_on("2026-03-03", to_all_lists=True)
    by_sender = sent_on("2026-03-04", to_all_lists=False, sender=sender)
    of_site = sent_on("2026-03-05", to_all_lists=False, site=site)

    def found(**filters):
        return {row.mailing for row in overview(march(**filters)).rows}

    assert found(recipient_list=news) == {to_list, to_all}
    assert found(sender=sender) == {by_sender}
    assert found(site=site) == {of_site}
    assert found() == {to_list, to_all, by_sender, of_site}


def test_the_last_days_end_tonight():
    filters = OverviewFilters.last_days(7)
    assert filters.end - filters.start == timedelta(days=7)
    assert filters.start < timezone.now() < filters.end
    assert filters.before.end == filters.start


def test_the_span_before_is_as_long_by_the_clock_on_the_wall():
    with timezone.override("Europe/Berlin"):
        before = march().before
        assert before.start == moment("2026-01-29")
        april = OverviewFilters(start=moment("2026-03-30"), end=moment("2026-04-01"))
        assert april.before.start == moment("2026-03-28"), "the 29th has 23 hours"


def test_the_span_before_may_be_of_another_length():
    of_february = sent_on("2026-02-01")
    sent_on("2026-01-31", size=9)
    shown = overview(march(before_start=moment("2026-02-01")))
    assert shown.previous["sent"].value == of_february.deliveries.count()


def test_the_overview_costs_the_same_for_many_mailings(queries_of):
    for day in range(1, 4):
        sent_on(f"2026-03-0{day}", clicks=1)
    overview(march())
    few = queries_of(lambda: overview(march()))
    for day in range(10, 20):
        sent_on(f"2026-03-{day}", clicks=1)
    overview(march())
    assert queries_of(lambda: overview(march())) == few
