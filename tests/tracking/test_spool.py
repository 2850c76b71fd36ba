from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from wagtail_email_insights.tracking import recording, spool

needs_locks = pytest.mark.skipif(spool.fcntl is None, reason="no file locks on this system")
needs_owners = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no file owners")


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    settings.WAGTAIL_EMAIL_INSIGHTS = {"spool_directory": str(tmp_path / "spool")}
    return tmp_path / "spool"


def taken() -> list[str]:
    """Take what is there, as draining does."""
    lines: list[str] = []
    while path := spool.oldest():
        lines += path.read_text(encoding="utf-8").splitlines()
        path.unlink()
    return lines


def test_hits_come_back_in_order_and_once():
    spool.append(["1", "2"])
    spool.append(["3"])
    assert spool.is_pending()
    assert taken() == ["1", "2", "3"]
    assert not spool.is_pending()
    assert taken() == []


def test_what_was_taken_away_and_not_finished_comes_first():
    spool.append(["1"])
    spool.oldest()
    spool.append(["2"])
    assert spool.is_pending()
    assert taken() == ["1", "2"]


def test_half_a_line_is_taken_back_when_the_disk_is_full(folder, monkeypatch):
    spool.append(["first"])
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:5]))
        with pytest.raises(OSError, match="no room"):
            spool.append(["second"])
    spool.append(["third"])
    assert taken() == ["first", "third"]


def test_what_is_put_aside_stays_one_line(folder):
    spool.put_aside(b"\xff\xfe")
    spool.put_aside("two\nlines")
    assert (folder / "bad.jsonl").read_text() == "\\xff\\xfe\ntwo lines\n"


@needs_locks
def test_only_one_process_drains_and_readers_do_not_wait_for_it():
    begun, go_on = threading.Event(), threading.Event()

    def drain() -> None:
        with spool.draining_alone() as alone:
            assert alone
            begun.set()
            go_on.wait(10)

    first = threading.Thread(target=drain)
    first.start()
    begun.wait(10)
    with spool.draining_alone() as alone:
        assert not alone
    spool.append(["1"])
    go_on.set()
    first.join(10)
    assert taken() == ["1"]


@needs_locks
def test_nothing_is_lost_between_appending_and_taking():
    def append_many(start: int) -> None:
        for number in range(start, start + 50):
            spool.append([str(number)])

    writers = [threading.Thread(target=append_many, args=[start]) for start in (0, 50, 100)]
    for writer in writers:
        writer.start()
    lines: list[str] = []
    while any(writer.is_alive() for writer in writers):
        lines += taken()
    lines += taken()
    assert sorted(map(int, lines)) == list(range(150))


@needs_owners
@pytest.mark.django_db
def test_a_folder_that_everybody_may_write_to_is_refused(folder, caplog):
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(PermissionError):
        spool.append(["1"])
    assert not list(folder.iterdir())
    assert recording.try_drain() == 0
    assert "Could not make events of hits" in caplog.text
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
