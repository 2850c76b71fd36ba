"""The tracking check: whether something has come in, and whether hits wait to be counted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from tests.factories import make_email
from tests.statistics import sums
from wagtail_email_insights.mailings.models import Mailing, MailingContent
from wagtail_email_insights.sending.preparing import PIXEL_TAG
from wagtail_email_insights.statistics import checks_of_recording
from wagtail_email_insights.statistics.tracking_check import Result, State
from wagtail_email_insights.tracking import recorders, recording, spool
from wagtail_email_insights.tracking.models import Event, EventKind, Hit, Scope, Tally
from wagtail_email_insights.tracking.recorders import RecorderAway, TableRecorder

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def sent(title: str = "June news", *, ago: timedelta, **fields) -> Mailing:
    mailing = sums.sent(make_email(title), **fields)
    at = timezone.now() - ago
    Mailing.objects.filter(pk=mailing.pk).update(started_at=at, finished_at=at)
    return mailing


def clicked(mailing: Mailing, *, ago: timedelta) -> None:
    Event.objects.create(
        kind=EventKind.CLICK, at=timezone.now() - ago, mailing=mailing, copy=-1, verdict="human"
    )


def last_event() -> Result:
    return checks_of_recording.check_last_event(None)


class TestWhetherAnythingHasComeIn:
    def test_a_click_of_long_ago_says_nothing_about_what_went_out_since(self):
        clicked(sent(ago=400 * DAY), ago=390 * DAY)
        for week in range(1, 5):
            sent(f"Week {week}", ago=week * 7 * DAY)
        result = last_event()
        assert (result.state, bool(result.remedy)) == (State.ATTENTION, True)
        assert result.meaning == (
            "No open and no click of “Week 1” has come in: its 1,000 copies went out 1\xa0week ago."
        )

    def test_sums_tell_of_opens_whose_events_retention_has_deleted(self):
        sums.tally(sent(ago=400 * DAY), opened=300, clicked=80, clicks=80)
        result = last_event()
        assert result.state == State.OK
        assert "“June news”" in result.meaning
        assert "have come in" in result.meaning

    def test_when_the_last_came_is_told_beside(self):
        mailing = sent(ago=3 * DAY)
        sums.tally(mailing, opened=1)
        clicked(mailing, ago=3 * HOUR)
        result = last_event()
        assert result.state == State.OK
        assert result.meaning.endswith("The last open or click came in 3\xa0hours ago.")

    @pytest.mark.parametrize("column", ["opened", "opens", "clicks"])
    def test_what_is_counted_in_totals_only_and_what_machines_do_came_in_too(self, column):
        sums.tally(sent(ago=2 * DAY), scopes=[Scope.EVERYTHING], **{column: 1})
        assert last_event().state == State.OK

    def test_a_mailing_from_before_there_were_sums_has_its_events(self):
        clicked(sent(ago=2 * DAY), ago=DAY)
        assert not Tally.objects.exists()
        assert last_event().state == State.OK

    @pytest.mark.parametrize(
        "fields",
        [
            {"ago": 23 * HOUR},
            {"ago": 2 * DAY, "delivered": 99},
            {"ago": 2 * DAY, "links": 0},
        ],
        ids=["a day has not passed", "too few copies", "neither links nor a pixel"],
    )
    def test_a_mailing_that_proves_nothing_is_passed_over(self, fields):
        sums.tally(sent(ago=9 * DAY), opened=300)
        sent("Newest", **fields)
        result = last_event()
        assert (result.state, "“June news”" in result.meaning) == (State.OK, True)

    def test_a_pixel_alone_is_enough_to_be_judged_by(self):
        mailing = sent(ago=2 * DAY, links=0)
        MailingContent.objects.create(mailing=mailing, html=f"<body>{PIXEL_TAG}</body>")
        assert last_event().state == State.ATTENTION

    def test_the_floor_is_the_one_of_the_settings(self):
        sent(ago=2 * DAY, delivered=99)
        with override_settings(WAGTAIL_EMAIL_INSIGHTS={"ranking_floor": 99}):
            assert "“June news”" in last_event().meaning

    @pytest.mark.parametrize(("identified", "is_judged"), [(99, False), (100, True)])
    def test_copies_with_plain_links_do_not_count_towards_it(self, identified, is_judged):
        mailing = sent(ago=2 * DAY)
        MailingContent.objects.create(mailing=mailing, anonymous_counting="off")
        type(mailing.totals).objects.update(identified=identified)
        assert ("“June news”" in last_event().meaning) == is_judged

    def test_without_such_a_mailing_the_last_event_counts(self):
        small = sent(ago=9 * DAY, delivered=9)
        assert last_event().meaning.startswith("No open and no click has come in since the first")
        sums.tally(small, opened=3)
        result = last_event()
        assert (result.state, "retention" in result.meaning) == (State.OK, True)
        clicked(small, ago=3 * HOUR)
        assert last_event().meaning == "The last open or click came in 3\xa0hours ago."

    def test_many_mailings_cost_no_more_than_a_few(self, queries_of):
        for number in range(1, 4):
            sent(ago=number * 7 * DAY)
        few = queries_of(last_event)
        for number in range(4, 30):
            sent(ago=number * 7 * DAY)
        assert queries_of(last_event) == few


class Secretive(TableRecorder):
    """A recorder of a site's own that says no more than whether anything waits."""

    backlogs = recorders.Recorder.backlogs


class Away(TableRecorder):
    def backlogs(self):
        raise RecorderAway


def line(*, ago: timedelta) -> str:
    return checks_of_recording.probe()._replace(at=timezone.now() - ago).line()


class TestWhatWaits:
    @pytest.fixture(autouse=True)
    def _nobody_drains(self, monkeypatch):
        monkeypatch.setattr(recording, "catch_up", lambda: None)

    def pending(self) -> Result:
        return checks_of_recording.check_pending(None)

    def test_a_spool_that_nobody_drains_is_told_with_what_lies_there(self):
        spool.append([line(ago=9 * HOUR)] * 3500)
        result = self.pending()
        assert result.state == State.ATTENTION
        assert result.meaning == (
            "Opens and clicks wait to be counted, the oldest for 9\xa0hours; about 3,500 lie there."
        )

    def test_the_oldest_of_all_places_counts(self, monkeypatch):
        sources = [recorders.FileRecorder(), TableRecorder()]
        monkeypatch.setattr(checks_of_recording, "sources", lambda: sources)
        spool.append([line(ago=timedelta())])
        assert self.pending().state == State.OK
        Hit.objects.create(line=line(ago=2 * HOUR))
        result = self.pending()
        assert (result.state, "2\xa0hours" in result.meaning) == (State.ATTENTION, True)
        assert "about 2 lie there" in result.meaning

    @pytest.mark.parametrize("place", [Secretive(), Away()], ids=["says nothing", "is away"])
    def test_of_a_place_that_does_not_tell_nothing_is_claimed(self, monkeypatch, place):
        Hit.objects.create(line=line(ago=timedelta()))
        monkeypatch.setattr(checks_of_recording, "sources", lambda: [place])
        result = self.pending()
        assert (result.state, "since when" in result.meaning) == (State.ATTENTION, True)

    def test_a_line_that_nobody_can_read_has_no_age(self):
        spool.append(["{no hit"])
        result = self.pending()
        assert (result.state, "since when" in result.meaning) == (State.ATTENTION, True)

    def test_nothing_waits_in_a_file_that_was_drained_to_its_end(self):
        spool.append([line(ago=9 * HOUR)])
        place = recorders.FileRecorder()
        place.done(place.take(10))
        assert spool.is_pending()
        assert self.pending().meaning.startswith("Nothing waits")
