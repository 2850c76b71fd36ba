"""From a hit, wherever it was put down, to an event: none lost, none twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, transaction
from django.utils import timezone

from tests.factories import make_contact, make_mailing
from wagtail_email_insights.mailings.models import Delivery
from wagtail_email_insights.tracking import (
    draining,
    recorders,
    recording,
    spool,
    standby,
    sweeping,
    taking_in,
    tallies,
)
from wagtail_email_insights.tracking.actions import strip_contact
from wagtail_email_insights.tracking.hits import Observation, UnreadableHit
from wagtail_email_insights.tracking.models import (
    DrainPosition,
    Event,
    Hit,
    NetworkSighting,
    Probe,
    Tally,
    TrackedLink,
)
from wagtail_email_insights.tracking.recorders import FileRecorder, TableRecorder

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailing():
    return make_mailing(state="sent", started_at=NOW)


def hit(mailing, copy=7, **changes) -> Observation:
    values = {
        "kind": "open",
        "at": NOW,
        "mailing_id": mailing.pk,
        "link_id": None,
        "identified": False,
        "copy": copy,
        "variant": 0,
        "verdict": "human",
        "verdict_reason": "",
    }
    return Observation(**values | changes)


@pytest.fixture(params=[FileRecorder, TableRecorder])
def place(request, monkeypatch):
    """Each recorder that needs no server, as the only one there is."""
    made = request.param()
    monkeypatch.setattr(draining, "sources", lambda: [made])
    return made


def test_a_hit_comes_back_as_it_was_written(mailing):
    before = hit(mailing, device="phone", client="gmail", network=2**55, link_id=3)
    assert Observation.read(before.line()) == before


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "null",
        "[]",
        "[1]",
        '{"kind":"open"}',
        "[2,1,2,3]",
        '[1,"open","soon",1,null,false,7,0,"human","","","",0,"",2]',
        '[1,"sent",1893553445000000,1,null,false,7,0,"human","","","",0,"",2]',
        '[1,"open",1893553445000000,1,null,false,7,0,"angel","","","",0,"",2]',
        '[1,"open",1893553445000000,1,null,false,99999999999999999999,0,"human","","","",0,"",2]',
        '[1,"open",1e300,1,null,false,7,0,"human","","","",0,"",2]',
        '[1,"open",1893553445000000,-1,null,false,7,0,"human","","","",0,"",2]',
        '[1,"open",1893553445000000,1,null,false,7,0,"human","","","",0,"",2,"more"]',
        b"\xff\xfe",
    ],
)
def test_what_is_no_hit_is_refused(line):
    with pytest.raises(UnreadableHit):
        Observation.read(line)


def test_hits_become_events_once(mailing, place):
    place.write([hit(mailing, copy).line() for copy in (1, 2, 3)])
    assert place.is_pending()
    assert recording.drain() == 3
    assert sorted(Event.objects.values_list("copy", flat=True)) == [-3, -2, -1]
    assert not place.is_pending()
    assert recording.drain() == 0


def test_many_hits_are_taken_in_several_batches(mailing, place, monkeypatch):
    monkeypatch.setattr(draining, "LIMIT", 10)
    place.write([hit(mailing, copy).line() for copy in range(1, 36)])
    assert recording.drain() == 35
    assert Event.objects.count() == 35
    assert not place.is_pending()


def test_only_so_many_batches_if_asked(mailing, place, monkeypatch):
    monkeypatch.setattr(draining, "LIMIT", 10)
    place.write([hit(mailing, copy).line() for copy in range(1, 36)])
    assert recording.drain(batches=2) == 20
    assert recording.drain() == 15


def test_a_batch_that_fails_stays_and_comes_again(mailing, place, monkeypatch):
    place.write([hit(mailing).line()])

    def away(_hits):
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(draining, "take_in", away)
        with pytest.raises(OperationalError):
            recording.drain()
        assert recording.try_drain() == 0
    assert not Event.objects.exists()
    assert recording.drain() == 1
    assert Event.objects.count() == 1


def test_a_crash_after_the_commit_counts_nothing_twice(mailing, place, monkeypatch):
    place.write([hit(mailing, copy).line() for copy in (1, 2)])

    def crash(_batch):
        raise OSError("kill -9")

    with monkeypatch.context() as patch:
        patch.setattr(place, "clean_up", crash)
        with pytest.raises(OSError, match="kill"):
            recording.drain()
    place.write([hit(mailing, 3).line()])
    recording.drain()
    assert sorted(Event.objects.values_list("copy", flat=True)) == [-3, -2, -1]
    assert not DrainPosition.objects.filter(source__startswith="file:").exists()


def test_an_unreadable_line_is_put_aside_and_holds_nothing_up(mailing, place):
    place.write([hit(mailing, 1).line(), "{no hit", hit(mailing, 2).line()])
    recording.drain()
    assert Event.objects.count() == 2
    assert (spool.directory() / spool.BAD_FILE_NAME).read_text() == "{no hit\n"
    assert not place.is_pending()


def test_hits_of_mailings_and_links_that_are_gone_are_dropped(mailing, place):
    other = make_mailing()
    link = TrackedLink.objects.create(mailing=other, position=0, url="https://example.com/")
    place.write(
        [
            hit(mailing, 1).line(),
            hit(mailing, 2, mailing_id=mailing.pk + 999).line(),
            hit(mailing, 3, kind="click", link_id=link.pk + 999).line(),
            # A link of another mailing: nobody signs such a token.
            hit(mailing, 4, kind="click", link_id=link.pk).line(),
        ]
    )
    recording.drain()
    assert list(Event.objects.values_list("copy", flat=True)) == [-1]


def test_one_bad_hit_in_a_batch_costs_the_others_nothing(mailing, place, monkeypatch):
    take_in = draining.take_in

    def picky(hits):
        if any(one.copy == 2 for one in hits):
            raise DatabaseError if len(hits) == 0 else draining.db.DataError("out of range")
        return take_in(hits)

    monkeypatch.setattr(draining, "take_in", picky)
    place.write([hit(mailing, copy).line() for copy in (1, 2, 3)])
    assert recording.drain() == 3
    assert sorted(Event.objects.values_list("copy", flat=True)) == [-3, -1]
    assert "2" in (spool.directory() / spool.BAD_FILE_NAME).read_text()


def test_looking_for_work_when_there_is_none_costs_one_query(django_assert_max_num_queries):
    with django_assert_max_num_queries(1):
        recording.catch_up()


def test_reading_catches_up(mailing, place):
    place.write([hit(mailing).line()])
    recording.catch_up()
    assert Event.objects.count() == 1


def test_catching_up_never_raises(mailing, place, monkeypatch):
    place.write([hit(mailing).line()])
    monkeypatch.setattr(draining, "take_in", lambda _hits: 1 / 0 and None)
    with pytest.raises(ZeroDivisionError):
        recording.drain()

    def away(_hits):
        raise OperationalError("locked")

    monkeypatch.setattr(draining, "take_in", away)
    recording.catch_up()
    assert not Event.objects.exists()


def test_the_command_replays(mailing, capsys):
    spool.append([hit(mailing).line()])
    call_command("email_insights", "replay_events")
    assert "1 hits became events" in capsys.readouterr().out
    assert Event.objects.count() == 1


def test_work_from_cron_drains_too(mailing):
    spool.append([hit(mailing).line()])
    call_command("email_insights", "run_due")
    assert Event.objects.get().copy == -7


def test_a_burst_is_folded_back_whatever_batch_it_came_in(mailing):
    links = [
        TrackedLink.objects.create(mailing=mailing, position=n, url=f"https://example.com/{n}")
        for n in range(4)
    ]
    for number, link in enumerate(links):
        at = NOW + timedelta(milliseconds=100 * number)
        spool.append([hit(mailing, 9, kind="click", link_id=link.pk, at=at).line()])
        recording.drain()
    assert set(Event.objects.values_list("verdict", "verdict_reason")) == {("machine", "burst")}
    (everything,) = Tally.objects.filter(mailing=mailing, dimension="", scope=2)
    assert (everything.clicked, everything.clicks) == (1, 4)
    assert not Tally.objects.filter(mailing=mailing, dimension="", scope=1, clicks__gt=0).exists()
    assert tallies.audit(mailing) == []


def test_the_trap_catches_what_came_before_and_after(mailing):
    link = TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.com/")
    moments = [(-5, ""), (0, "trap"), (5, ""), (3600, "")]
    for seconds, evidence in moments:
        at = NOW + timedelta(seconds=seconds)
        link_id = None if evidence else link.pk
        one = hit(mailing, 9, kind="click", link_id=link_id, at=at, evidence=evidence)
        spool.append([one.line()])
        recording.drain()
    verdicts = Event.objects.order_by("at").values_list("verdict", flat=True)
    assert list(verdicts) == ["machine", "machine", "human"]
    assert Probe.objects.count() == 1
    assert tallies.audit(mailing) == []


def test_one_network_in_many_copies_is_a_sweep(mailing, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"sweep_copies": 5}
    link = TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.com/")
    for copy in range(1, 9):
        at = NOW + timedelta(seconds=copy)
        one = hit(mailing, copy, kind="click", link_id=link.pk, at=at, network=4711)
        spool.append([one.line()])
        recording.drain()
    assert set(Event.objects.values_list("verdict_reason", flat=True)) == {"sweep"}
    assert tallies.audit(mailing) == []


def test_an_identified_copy_of_another_mailing_names_nobody(mailing):
    other = Delivery.objects.create(
        mailing=make_mailing(), contact=make_contact(agrees=True), state="sent", identified=True
    )
    spool.append([hit(mailing, other.pk, identified=True).line()])
    recording.drain()
    assert Event.objects.values_list("contact", "copy").get() == (None, None)


def test_a_table_is_drained_on_any_database_when_it_holds_something(mailing):
    """Whoever moves from one database or recorder to another loses nothing."""
    assert not Hit.objects.exists()
    recorders.TableRecorder().write([hit(mailing).line()])
    assert Hit.objects.count() == 1


def minutes_later(number: int) -> datetime:
    return NOW + timedelta(minutes=number)


def test_the_busiest_copy_counts_on_in_totals_only(mailing, monkeypatch):
    monkeypatch.setattr(taking_in, "MOST_PER_COPY", 3)
    for number in range(3):
        moments = (minutes_later(2 * number), minutes_later(2 * number + 1))
        spool.append([hit(mailing, at=at).line() for at in moments])
        spool.append([hit(mailing, copy=8, at=moments[0]).line()])
        recording.drain()
    copies = list(Event.objects.order_by("pk").values_list("copy", flat=True))
    assert copies == [-7, -7, -8, -7, -7, -8, None, None, -8]
    sums = Tally.objects.get(mailing=mailing, dimension="", scope=1)
    assert (sums.opened, sums.opens) == (2, 9)
    assert tallies.audit(mailing) == []


def test_a_robot_in_a_loop_does_not_become_people(mailing, monkeypatch):
    monkeypatch.setattr(taking_in, "MOST_PER_COPY", 6)
    links = [
        TrackedLink.objects.create(mailing=mailing, position=n, url=f"https://example.com/{n}")
        for n in range(3)
    ]
    for number in range(5):
        at = NOW + timedelta(seconds=number)
        one = [
            hit(mailing, kind="click", link_id=link.pk, at=at + timedelta(milliseconds=20 * place))
            for place, link in enumerate(links)
        ]
        spool.append([each.line() for each in one])
        recording.drain()
    assert set(Event.objects.values_list("verdict_reason", flat=True)) == {"burst"}
    assert Event.objects.filter(copy=None).count() == 9
    assert tallies.audit(mailing) == []


def test_many_signs_of_one_copy_are_not_all_kept(mailing, monkeypatch):
    monkeypatch.setattr(taking_in, "MOST_SIGNS", 2)
    for number in range(4):
        spool.append([hit(mailing, evidence="lookahead", at=minutes_later(number)).line()])
        recording.drain()
    assert Probe.objects.count() == 2


def test_what_two_places_have_taken_counts_once(mailing):
    """As when the recorder took it, but said so too late."""
    at = minutes_later(1)
    link = TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.com/")
    same = [hit(mailing), hit(mailing, kind="click", link_id=link.pk, at=at)]
    for one in same:
        TableRecorder().write([one.line()])
    recording.drain()
    spool.append([one.line() for one in same] * 2)
    recording.drain()
    assert Event.objects.count() == 2
    assert tallies.audit(mailing) == []


@pytest.mark.parametrize("client", ["\\ud800", "gm\\u00e4il", "\\u0000" * 41])
def test_a_value_that_no_database_holds_is_put_aside(mailing, client):
    line = hit(mailing, client="NAME").line().replace("NAME", client)
    spool.append([line, hit(mailing).line(), "[" * 200_000])
    assert recording.drain() == 3
    assert Event.objects.count() == 1
    assert len((spool.directory() / "bad.jsonl").read_text().splitlines()) == 2


def test_whoever_agrees_again_is_not_known_by_old_copies(mailing):
    """Their past was given a number of its own: the same copy would count twice."""
    contact = make_contact(agrees=True)
    delivery = Delivery.objects.create(
        mailing=mailing, contact=contact, state="sent", identified=True
    )
    spool.append([hit(mailing, delivery.pk, identified=True).line()])
    recording.drain()
    strip_contact(contact)
    spool.append([hit(mailing, delivery.pk, identified=True, at=minutes_later(1)).line()])
    recording.drain()
    sums = Tally.objects.get(mailing=mailing, dimension="", scope=1)
    assert (sums.opened, sums.opens) == (1, 2)
    assert not Event.objects.filter(contact__isnull=False).exists()
    assert tallies.audit(mailing) == []


def test_old_networks_are_forgotten_without_new_clicks(mailing):
    link = TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.com/")
    now = timezone.now()
    for minutes in (-90, -30, 90):
        at = now + timedelta(minutes=minutes)
        spool.append([hit(mailing, kind="click", link_id=link.pk, at=at, network=4711).line()])
    recording.drain()
    assert NetworkSighting.objects.count() == 3
    sweeping.forget_networks()
    assert NetworkSighting.objects.count() == 1


def test_a_fault_does_not_end_the_worker_s_thread(mailing, monkeypatch, caplog):
    def fault(**_kwargs):
        raise ValueError("a fault of ours")

    # The test's own connection has to stay.
    monkeypatch.setattr(standby, "close_old_connections", lambda: None)
    with monkeypatch.context() as patch:
        patch.setattr(standby, "try_drain", fault)
        assert standby._round(forgets=True) == 0
    assert "a fault of ours" in caplog.text
    spool.append([hit(mailing).line()])
    assert standby._round(forgets=False) == 1


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_nothing_is_drained(mailing, place):
    """What it makes could still be rolled back after the recorder had let go of it."""
    place.write([hit(mailing).line()])
    with transaction.atomic():
        recording.catch_up()
        assert recording.try_drain() == 0
        assert not Event.objects.exists()
    recording.catch_up()
    assert Event.objects.count() == 1
