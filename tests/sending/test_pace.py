from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.mailings.models import Delivery, DeliveryState, SkipReason
from wagtail_email_insights.mailings.queries import progress
from wagtail_email_insights.sending import actions, local_time, pace
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.sending.reaper import run_due
from wagtail_email_insights.site_settings.models import Sender

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when told to."""

    class Clock:
        now = NOON

        def __call__(self):
            return self.now

        def forward(self, seconds: float) -> None:
            self.now += timedelta(seconds=seconds)

    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


def make_sender(**fields) -> Sender:
    return Sender.objects.create(name="S", from_email="s@example.org", **fields)


def most_in_any_window(times: list[float], span: float) -> int:
    return max((sum(start <= time < start + span for time in times) for start in times), default=0)


@pytest.mark.parametrize(
    ("limit", "span"),
    [({"per_second": 20}, 1), ({"per_minute": 30}, 60), ({"per_hour": 100}, 3600)],
)
def test_no_window_ever_sees_more_than_the_limit(clock, limit, span):
    sender = make_sender(**limit)
    number = next(iter(limit.values()))
    times: list[float] = []
    for _ in range(400):
        granted = pace.take(sender, 10)
        times += [clock.now.timestamp()] * granted.number
        clock.forward(granted.wait or span / 50)
    assert most_in_any_window(times, span) <= number
    # ... and it is used: at least four fifths of what would be allowed.
    elapsed = times[-1] - times[0]
    assert len(times) >= 0.8 * number * elapsed / span


def test_a_sender_without_limits_is_never_held_up():
    assert pace.take(make_sender(), 10).number == 10


def test_the_tightest_limit_decides(clock):
    sender = make_sender(per_second=100, per_day=20)
    assert pace.take(sender, 10).number == 2
    assert pace.take(sender, 10) == pace.Allowance(0, pytest.approx(86400 / 18))


def test_the_bucket_is_in_the_database_for_all_workers(clock):
    sender = make_sender(per_minute=10)
    assert pace.take(Sender.objects.get(pk=sender.pk), 5).number == 1
    assert pace.take(Sender.objects.get(pk=sender.pk), 5).number == 0


def test_warming_up_grows_from_day_to_day_up_to_the_limit():
    sender = make_sender(
        warm_up_from=date(2026, 5, 1), warm_up_first_day=100, warm_up_growth=2, per_day=500
    )
    per_day = {
        day: pace.limits_of(sender, today=datetime(2026, 5, day, 12, tzinfo=UTC))[0].number
        for day in (1, 2, 3, 4, 20)
    }
    assert per_day == {1: 100, 2: 200, 3: 400, 4: 500, 20: 500}


@pytest.fixture
def news():
    return make_list()


def start(mailing):
    actions.start(mailing)
    mailing.refresh_from_db()


def test_a_mailing_keeps_to_the_pace_of_its_sender(news):
    for _ in range(8):
        subscribe(make_contact(), news)
    sender = make_sender(per_day=50)
    mailing = make_mailing(make_email(), news, sender=sender)
    start(mailing)
    assert not work_on(mailing, seconds=30)
    assert len(mail.outbox) == 5
    assert progress(mailing).waiting == 3
    assert mail.outbox[0].from_email == "s@example.org"


def test_the_frequency_cap_is_counted_at_the_claim(news, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"frequency_cap": (2, 7)}
    contact = make_contact()
    subscribe(contact, news)
    for _ in range(3):
        mailing = make_mailing(make_email(), news)
        start(mailing)
        work_on(mailing, seconds=30)
    assert len(mail.outbox) == 2
    assert progress(mailing).skipped_by_reason == {SkipReason.FREQUENCY_CAP: 1}
    Delivery.objects.filter(state=DeliveryState.SENT).update(
        settled_at=timezone.now() - timedelta(days=8)
    )
    mailing = make_mailing(make_email(), news)
    start(mailing)
    work_on(mailing, seconds=30)
    assert len(mail.outbox) == 3


def test_quiet_hours_are_those_of_the_readers_clock(news, settings, clock):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"quiet_hours": ("21:00", "08:00")}
    subscribe(make_contact("day@example.org", time_zone="Europe/Paris"), news)
    subscribe(make_contact("night@example.org", time_zone="Asia/Tokyo"), news)
    mailing = make_mailing(make_email(), news)
    start(mailing)
    work_on(mailing, seconds=30)
    # Noon in UTC: 14:00 in Paris, 21:00 in Tokyo.
    assert [message.to for message in mail.outbox] == [["day@example.org"]]
    waiting = mailing.deliveries.get(state=DeliveryState.QUEUED)
    assert waiting.not_before == datetime(2026, 5, 4, 23, 0, tzinfo=UTC)
    clock.forward(11 * 3600 + 1)
    work_on(mailing, seconds=30)
    assert len(mail.outbox) == 2


def test_sending_at_the_readers_own_hour(news, clock):
    for name in ("Pacific/Auckland", "Europe/Lisbon", "America/New_York", "", "Nowhere/Atall"):
        subscribe(make_contact(time_zone=name), news)
    at = NOON + timedelta(days=1)
    mailing = make_mailing(make_email(), news, scheduled_at=at, in_recipient_time_zone=True)
    actions.schedule(mailing, at)
    assert run_due() == []
    sent_at = {}
    for _ in range(60):
        for due in run_due():
            due.refresh_from_db()
            work_on(due, seconds=30)
        for delivery in mailing.deliveries.filter(state=DeliveryState.SENT):
            sent_at.setdefault(delivery.contact.time_zone, clock.now)
        clock.forward(1800)
    local = {name: when.astimezone(local_time.zone(name)) for name, when in sent_at.items()}
    assert len(local) == 5
    for when in local.values():
        assert (
            timedelta() <= when.replace(tzinfo=None) - at.replace(tzinfo=None) < timedelta(hours=1)
        )
