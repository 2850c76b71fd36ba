from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from tests.factories import make_mailing
from wagtail_email_insights.tracking import recording, spool
from wagtail_email_insights.tracking.models import Event

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

needs_locks = pytest.mark.skipif(spool.fcntl is None, reason="no file locks on this system")
needs_owners = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no file owners")


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    settings.WAGTAIL_EMAIL_INSIGHTS = {"spool_directory": str(tmp_path / "spool")}
    return tmp_path / "spool"


def event(number: int) -> dict[str, Any]:
    return {"copy": number, "at": NOW}


def replayed() -> list[int]:
    taken: list[int] = []
    spool.replay(lambda fields: taken.append(fields["copy"]))
    return taken


def test_events_come_back_in_order_and_once():
    for number in range(3):
        spool.append(event(number))
    seen: list[dict[str, Any]] = []
    assert spool.replay(seen.append) == 3
    assert seen == [event(0), event(1), event(2)]
    assert spool.replay(seen.append) == 0


def test_what_is_not_taken_stays():
    for number in range(4):
        spool.append(event(number))

    def refuse(fields: dict[str, Any]) -> None:
        if fields["copy"] == 2:
            raise OperationalError("away again")

    with pytest.raises(OperationalError):
        spool.replay(refuse)
    spool.append(event(4))
    assert sorted(replayed()) == [2, 3, 4]


@pytest.mark.parametrize(
    "line", ["{", "[]", "null", '{"copy": 1}', '{"copy": 1, "at": 5}', "\N{SNOWMAN}"]
)
def test_an_unreadable_line_is_put_aside_and_holds_nothing_up(folder, line):
    spool.append(event(1))
    with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    spool.append(event(2))
    assert replayed() == [1, 2]
    assert (folder / "bad.jsonl").read_text(encoding="utf-8") == line + "\n"
    assert replayed() == []


def test_bytes_that_are_no_text_are_put_aside_too(folder):
    spool.append(event(1))
    with (folder / "events.jsonl").open("ab") as file:
        file.write(b"\xff\xfe\n")
    assert replayed() == [1]
    assert (folder / "bad.jsonl").exists()


def test_half_a_line_is_taken_back_when_the_disk_is_full(folder, monkeypatch):
    spool.append(event(1))
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:5]))
        with pytest.raises(OSError, match="no room"):
            spool.append(event(2))
    spool.append(event(3))
    assert replayed() == [1, 3]


@needs_locks
def test_two_replays_at_once_store_nothing_twice():
    for number in range(5):
        spool.append(event(number))
    taken: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def dawdle(fields: dict[str, Any]) -> None:
        taken.append(fields["copy"])
        begun.set()
        go_on.wait(10)

    first = threading.Thread(target=spool.replay, args=[dawdle])
    first.start()
    begun.wait(10)
    assert replayed() == []
    # Readers do not wait for a replay.
    spool.append(event(5))
    go_on.set()
    first.join(10)
    assert sorted(taken) == [0, 1, 2, 3, 4]
    assert replayed() == [5]


@needs_locks
def test_nothing_is_lost_between_appending_and_replaying():
    def append_many(start: int) -> None:
        for number in range(start, start + 50):
            spool.append(event(number))

    writers = [threading.Thread(target=append_many, args=[start]) for start in (0, 50, 100)]
    for writer in writers:
        writer.start()
    taken: list[int] = []
    while any(writer.is_alive() for writer in writers):
        taken += replayed()
    taken += replayed()
    assert sorted(taken) == list(range(150))


@needs_owners
def test_a_folder_that_everybody_may_write_to_is_refused(folder, caplog):
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(PermissionError):
        spool.append(event(1))
    assert not list(folder.iterdir())
    assert recording.try_replay() == 0
    assert "Could not store the spooled events" in caplog.text
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("email_insights", "replay_events")


@needs_owners
def test_a_folder_of_somebody_else_is_refused(folder, monkeypatch):
    folder.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(PermissionError):
        spool.directory()


@needs_owners
def test_a_link_laid_out_in_the_folder_for_temporary_files_is_refused(
    settings, tmp_path, monkeypatch
):
    settings.WAGTAIL_EMAIL_INSIGHTS = {}
    monkeypatch.setattr(spool.tempfile, "gettempdir", lambda: str(tmp_path))
    made = spool.directory()
    assert made.parent == tmp_path
    assert made.stat().st_mode & 0o777 == 0o700
    made.rename(tmp_path / "ours")
    made.symlink_to(tmp_path / "ours")
    # A link belongs to whoever made it: here that is us, and the link is writable by everybody.
    with pytest.raises(PermissionError):
        spool.directory()


@pytest.mark.django_db
class TestStoring:
    @pytest.fixture
    def opened(self) -> recording.Observation:
        return recording.Observation("open", NOW, make_mailing().pk, None, False, 7, 0, "human", "")

    def test_an_event_of_an_older_version_is_put_aside(self, folder, opened):
        spool.append({**opened._asdict(), "colour": "red"})
        spool.append(opened._asdict())
        assert recording.replay() == 1
        assert Event.objects.get().copy == -7
        assert "colour" in (folder / "bad.jsonl").read_text()

    def test_an_event_of_a_mailing_that_is_gone_is_dropped(self, folder, opened):
        spool.append(opened._replace(copy=8)._asdict())
        recording.replay()
        assert not (folder / "bad.jsonl").exists()
        assert not list(folder.glob("replay-*"))

    def test_work_from_cron_replays_too(self, opened):
        spool.append(opened._asdict())
        call_command("email_insights", "run_due")
        assert Event.objects.get().copy == -7
