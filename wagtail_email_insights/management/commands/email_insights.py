"""One command with a sub-command per thing an operator does from a shell or cron."""

from __future__ import annotations

import logging
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django import db
from django.core.management.base import BaseCommand, CommandError

from ... import queue
from ...conf import app_settings
from ...digests.tasks import run_due_digests
from ...feedback.piping import take_in_from
from ...feedback.tasks import poll_mailboxes
from ...mailings.models import OPEN_STATES, Mailing
from ...mailings.queries import progress
from ...sending.batches import work_on
from ...sending.reaper import run_due
from ...sending.watchdog import stalls
from ...statistics.tasks import look_for_alerts, send_summaries
from ...tracking import recording, retention, tallies
from ...tracking.recorders import RecorderAway
from ...tracking.rejudging import rejudge
from ...tracking.tasks import tidy

logger = logging.getLogger(__name__)

FIGURES = {
    "audit": "tell whether the stored figures are what the events say; exit code 1: they are not",
    "rebuild_figures": "count the figures anew from the events",
    "rejudge": "judge opens and clicks again, person or machine, by the present rules",
}
"""Sub-commands about the figures of mailings, all of them unless some are named."""


CHORES: tuple[Callable[[], object], ...] = (poll_mailboxes, send_summaries, look_for_alerts, tidy)
"""What a cluster calls every few minutes, by the same clock."""


class Command(BaseCommand):
    help = "Send what is due, show what is under way, and keep events and figures right."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        due = commands.add_parser("run_due", help="do the queue's work without a cluster")
        due.add_argument("--seconds", type=float, default=50, help="stop after so long (50)")
        status = commands.add_parser("status", help="show mailings under way; exit code 1: stalled")
        status.add_argument("--minutes", type=float, default=3, help="how long is too long (3)")
        commands.add_parser("take_in", help="read one bounce or reply from standard input")
        commands.add_parser("replay_events", help="store events the database would not take")
        for name, purpose in FIGURES.items():
            figures = commands.add_parser(name, help=purpose)
            figures.add_argument("mailings", nargs="*", type=int, help="their numbers (all)")
        commands.add_parser("forget_old", help="delete events older than retention_days")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        getattr(self, f"_{command}")(**options)

    def _run_due(self, *, seconds: float, **_options: Any) -> None:
        deadline = time.monotonic() + seconds
        recording.try_drain()
        run_due_digests()
        for mailing in run_due():
            work_on(mailing, seconds=max(0.0, deadline - time.monotonic()))
            self.stdout.write(self._line(mailing))
        for chore in CHORES:
            self._do(chore)

    def _do(self, chore: Callable[[], object]) -> None:
        """Do one chore if it is due; what it fails at is logged and keeps none of the others."""
        function = f"{chore.__module__}.{chore.__name__}"
        try:
            if not queue.take_turn(function):
                return
            try:
                chore()
            except BaseException:
                queue.give_turn_back(function)
                raise
        except Exception:
            logger.exception("%s failed and is tried again next time", chore.__name__)

    def _status(self, *, minutes: float, **_options: Any) -> None:
        for mailing in Mailing.objects.filter(state__in=OPEN_STATES).select_related("email"):
            self.stdout.write(self._line(mailing))
        stalled = stalls(patience=timedelta(minutes=minutes))
        if stalled:
            details = ", ".join(
                f"{stall.mailing.pk} since {stall.since:%Y-%m-%d %H:%M:%S %Z}" for stall in stalled
            )
            raise CommandError(f"Nobody works on mailing {details}. Is the cluster running?")

    def _take_in(self, **_options: Any) -> None:
        sys.exit(take_in_from(sys.stdin.buffer))

    def _replay_events(self, **_options: Any) -> None:
        try:
            drained = recording.drain()
        except db.Error as error:
            raise CommandError(f"The database still does not take events: {error}") from error
        except OSError as error:
            raise CommandError(f"The spool cannot be read: {error}") from error
        except RecorderAway as error:
            raise CommandError(f"The recorder cannot be reached: {error.__cause__}") from error
        self.stdout.write(f"{drained} hits became events.")

    def _audit(self, *, mailings: list[int], **_options: Any) -> None:
        wrong = 0
        for mailing in self._mailings(mailings):
            for difference in tallies.audit(mailing):
                wrong += 1
                self.stdout.write(f"{mailing.pk}\t{difference}")
        if wrong:
            raise CommandError(f"{wrong} numbers are wrong. Mend them: rebuild_figures.")
        self.stdout.write("Every figure is what the events say.")

    def _rebuild_figures(self, *, mailings: list[int], **_options: Any) -> None:
        for mailing in self._mailings(mailings):
            rebuilt = tallies.rebuild(mailing)
            done = "rebuilt" if rebuilt else "kept: retention has deleted its events"
            self.stdout.write(f"{mailing.pk}\t{done}")

    def _rejudge(self, *, mailings: list[int], **_options: Any) -> None:
        for mailing in self._mailings(mailings):
            self.stdout.write(f"{mailing.pk}\t{rejudge(mailing)} verdicts changed")

    def _forget_old(self, **_options: Any) -> None:
        if app_settings.retention_days is None:
            raise CommandError("The setting retention_days is not set: nothing was deleted.")
        self.stdout.write(f"{retention.forget_old()} events deleted.")

    def _mailings(self, numbers: list[int]) -> Iterator[Mailing]:
        """Return the mailings that were begun, or those named; raises CommandError."""
        mailings = Mailing.objects.filter(started_at__isnull=False).order_by("pk")
        if numbers:
            missing = set(numbers) - set(mailings.values_list("pk", flat=True))
            if missing:
                raise CommandError(f"There is no mailing {min(missing)} that was begun.")
            mailings = mailings.filter(pk__in=numbers)
        return mailings.iterator()

    def _line(self, mailing: Mailing) -> str:
        mailing.refresh_from_db()
        now = progress(mailing)
        return (
            f"{mailing.pk}\t{mailing.state}\t{mailing.email}\tsent {now.sent}, "
            f"failed {now.failed}, uncertain {now.uncertain}, skipped {now.skipped}, "
            f"waiting {now.waiting}, audience {now.audience}"
        )
