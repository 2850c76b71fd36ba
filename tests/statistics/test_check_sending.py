"""The tracking check: whether a worker does its work, and what the last mailing carried."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import Task

from tests.factories import make_email, make_mailing
from wagtail_email_insights.mailings.models import Mailing, MailingContent, MailingState
from wagtail_email_insights.sending.preparing import PIXEL_TAG
from wagtail_email_insights.sending.schedules import REAP_TASK
from wagtail_email_insights.statistics import checks_of_sending
from wagtail_email_insights.statistics.tracking_check import Result, State
from wagtail_email_insights.tracking.models import TrackedLink

pytestmark = pytest.mark.django_db


def stopped(*, success: bool, func: str = REAP_TASK, **ago) -> Result:
    """Have a worker end a task that long *ago*, and return what the check says then."""
    at = timezone.now() - timedelta(**ago)
    key = str(Task.objects.count())
    Task.objects.create(id=key, func=func, started=at, stopped=at, success=success)
    return checks_of_sending.check_worker(None)


class TestTasksThatFail:
    def test_a_worker_all_of_whose_tasks_fail_is_not_in_order(self):
        result = stopped(success=False, seconds=5)
        assert result.state == State.ATTENTION
        assert result.meaning.startswith("Tasks fail: the last one less than a minute ago")
        assert "failed tasks" in result.remedy

    def test_nor_is_one_that_has_begun_to_fail(self):
        stopped(success=True, minutes=3)
        result = stopped(success=False, minutes=1)
        assert (result.state, "Tasks fail" in result.meaning) == (State.ATTENTION, True)

    def test_what_has_succeeded_since_is_in_order(self):
        stopped(success=False, minutes=3)
        result = stopped(success=True, seconds=5)
        assert result.meaning == "A worker last finished a task less than a minute ago."
        assert result.state == State.OK

    def test_failures_of_others_are_none_of_ours(self):
        stopped(success=True, minutes=1)
        assert stopped(success=False, func="shop.tasks.count", seconds=5).state == State.OK

    def test_one_that_failed_long_ago_was_the_last_sign_of_a_worker(self):
        stopped(success=True, minutes=30)
        result = stopped(success=False, minutes=20)
        assert result.state == State.ATTENTION
        assert result.meaning == "No worker has been seen at work for 20\xa0minutes."

    def test_where_only_failures_are_kept_an_old_one_means_nothing(self, monkeypatch):
        monkeypatch.setattr(Conf, "SAVE_LIMIT", -1)
        monkeypatch.setattr(checks_of_sending, "_last_called", timezone.now)
        assert stopped(success=False, days=9).state == State.OK
        assert stopped(success=False, minutes=1).state == State.ATTENTION


class TestLinks:
    def test_a_mailing_that_is_still_prepared_is_not_judged(self):
        week_ago = timezone.now() - timedelta(days=7)
        before = make_mailing(make_email("May"), state=MailingState.SENT, started_at=week_ago)
        MailingContent.objects.create(mailing=before, html=f"<body>{PIXEL_TAG}</body>")
        TrackedLink.objects.create(mailing=before, position=0, url="https://example.com/")
        newest = self.prepares()
        result = checks_of_sending.check_links(None)
        assert (result.state, "“May”" in result.meaning) == (State.OK, True)
        MailingContent.objects.create(mailing=newest, html="<body></body>")
        result = checks_of_sending.check_links(None)
        assert (result.state, "“June news”" in result.meaning) == (State.ATTENTION, True)

    def test_before_anything_else_was_sent_there_is_nothing_to_judge(self):
        self.prepares()
        assert checks_of_sending.check_links(None).state == State.OFF

    def prepares(self) -> Mailing:
        return make_mailing(state=MailingState.PREPARING, started_at=timezone.now())
