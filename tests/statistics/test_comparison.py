from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.statistics.sent import copies_of, happen, make_link, make_sent
from wagtail_email_insights.site_settings.models import Sender
from wagtail_email_insights.statistics.comparison import compare, senders_median

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_mailings_count(settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"ranking_floor": 4}


def sent_days_ago(days: int, *, clicks: int = 0, size: int = 4, has_link: bool = True, **fields):
    mailing = make_sent(
        *["sent"] * size, started_at=timezone.now() - timedelta(days=days), **fields
    )
    if has_link:
        make_link(mailing)
    for key in range(clicks):
        happen(mailing, "click", -key - 1)
    return mailing


def test_groups_stand_side_by_side():
    one, two, three = (sent_days_ago(1, clicks=clicks) for clicks in (1, 2, 3))
    rows = {row.code: row for row in compare([[one], [two, three]])}
    assert [cell.rate for cell in rows["clicked"].cells] == [0.25, 5 / 8]
    assert rows["unsubscribed"].lower_is_better
    assert "bounced" not in rows


def test_a_figure_that_only_one_of_them_has_leaves_a_gap():
    with_file, without = sent_days_ago(1), sent_days_ago(1)
    happen(with_file, "download", -1)
    rows = {row.code: row for row in compare([[with_file], [without]])}
    assert [cell and cell.value for cell in rows["downloaded"].cells] == [1, None]


def test_comparing_many_costs_what_comparing_one_does(queries_of):
    mailings = [sent_days_ago(1, clicks=1) for _ in range(6)]
    compare([mailings])
    many = queries_of(lambda: compare([[mailing] for mailing in mailings]))
    assert many == queries_of(lambda: compare([mailings[:1]]))


def test_usual_is_the_median_of_what_the_sender_sent_before():
    mailing = sent_days_ago(1, clicks=4)
    for days, clicks in [(2, 0), (3, 1), (4, 4)]:
        sent_days_ago(days, clicks=clicks)
    sent_days_ago(0, clicks=4)
    assert senders_median(mailing)["clicked"] == 0.25


def test_two_mailings_make_nothing_usual():
    mailing = sent_days_ago(1)
    sent_days_ago(2)
    sent_days_ago(3)
    assert senders_median(mailing) is None


def test_what_is_not_told_apart_is_left_out_of_clicks_only():
    mailing = sent_days_ago(1, clicks=4)
    for days in (2, 3, 4):
        sent_days_ago(days, clicks=2)
    for days in (5, 6, 7, 8):
        off = make_sent(
            *["sent"] * 4,
            "known",
            counting="off",
            started_at=timezone.now() - timedelta(days=days),
        )
        make_link(off)
        happen(off, "click", copies_of(off)[-1])
    medians = senders_median(mailing)
    assert (medians["clicked"], medians["delivered"]) == (0.5, 1)


def test_mailings_without_a_link_say_nothing_of_clicks():
    mailing = sent_days_ago(1, clicks=4)
    for days in (2, 3, 4):
        sent_days_ago(days, clicks=2)
    for days in (5, 6, 7, 8):
        sent_days_ago(days, has_link=False)
    assert senders_median(mailing)["clicked"] == 0.5


def test_what_is_still_being_sent_is_not_usual():
    mailing = sent_days_ago(1)
    for days in (2, 3, 4):
        sent_days_ago(days, state="sending", finished_at=None)
    assert senders_median(mailing) is None


def test_mailings_of_a_few_copies_and_of_other_senders_say_nothing():
    mailing = sent_days_ago(1)
    for days in range(2, 4):
        sent_days_ago(days)
    sent_days_ago(5, size=3)
    other = Sender.objects.create(name="Other", from_email="other@example.org")
    sent_days_ago(6, sender=other)
    assert senders_median(mailing) is None
    sent_days_ago(7)
    assert senders_median(mailing) is not None


def test_a_figure_that_nobody_reported_is_not_usual():
    mailing = sent_days_ago(1)
    for days in range(2, 5):
        earlier = sent_days_ago(days)
    assert "complained" not in senders_median(mailing)
    happen(earlier, "complaint", copies_of(earlier)[0])
    assert senders_median(mailing)["complained"] == 0


def test_the_median_costs_the_same_however_many_mailings(queries_of):
    mailing = sent_days_ago(1)
    for days in range(2, 5):
        sent_days_ago(days, clicks=1)
    few = queries_of(lambda: senders_median(mailing))
    for days in range(5, 12):
        sent_days_ago(days, clicks=1)
    # What is old enough is stored by the first who asks.
    senders_median(mailing)
    assert queries_of(lambda: senders_median(mailing)) <= few
