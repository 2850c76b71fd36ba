"""Whether clicks are written down and become events."""

from __future__ import annotations

import logging
import os
import tempfile
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import Site

from ..conf import app_settings
from ..mailings.models import Mailing
from ..tracking import recording, spool
from ..tracking.hits import Observation, UnreadableHit
from ..tracking.models import Event, EventKind, Hit, Verdict
from ..tracking.recorders import RecorderAway, recorder
from .tracking_check import Check, Result, State
from .wording import number, time_since

logger = logging.getLogger(__name__)

LONG = timedelta(seconds=30)
"""Workers look every second: what waits longer waits for somebody who is not there."""

QUIET = timedelta(days=1)


def probe() -> Observation:
    """Return an open of a mailing that cannot exist: it goes all the way and leaves nothing."""
    return Observation(
        kind=EventKind.OPEN.value,
        at=timezone.now(),
        mailing_id=0,
        link_id=None,
        identified=False,
        copy=0,
        variant=0,
        verdict=Verdict.HUMAN.value,
        verdict_reason="",
    )


def check_recorder(site: Site | None) -> Result:
    """Write a hit down and have it read again."""
    try:
        recorder().write([probe().line()])
    except RecorderAway:
        return Result(
            State.BROKEN,
            _("The recorder “%s” takes nothing; hits go to the spool on this host's disk.")
            % app_settings.recorder,
            _("See that the database or Redis runs and that the setting for it is right."),
        )
    recording.catch_up()
    return Result(
        State.OK,
        _("A trial click was written down by the recorder “%s”.") % app_settings.recorder,
    )


def check_pending(site: Site | None) -> Result:
    """Tell whether hits wait to become events."""
    recording.catch_up()
    if not recording.is_pending():
        return Result(State.OK, _("Nothing waits: every open and click has been counted."))
    oldest = _oldest()
    if oldest is None or timezone.now() - oldest < LONG:
        return Result(State.OK, _("Opens and clicks come in right now; they count within seconds."))
    return Result(
        State.ATTENTION,
        _("Opens and clicks wait to be counted, the oldest for %(time)s; %(number)s lie there.")
        % {"time": time_since(oldest), "number": number(Hit.objects.count())},
        _("See that a worker runs, and look into its log."),
    )


def check_spool(site: Site | None) -> Result:
    """Write into the folder that hits go to when nothing else takes them."""
    try:
        folder = spool.directory()
        with tempfile.NamedTemporaryFile(dir=folder) as trial:
            trial.write(b"trial")
            os.fsync(trial.fileno())
    except OSError:
        logger.exception("The spool folder cannot be written to")
        return Result(
            State.BROKEN,
            _("The folder for what nothing else takes cannot be written to."),
            _("Set spool_directory to a folder that belongs to the server's own user."),
        )
    if (folder / spool.BAD_FILE_NAME).exists():
        return Result(
            State.ATTENTION,
            _("In the spool folder lie hits that nobody could read (%s).") % spool.BAD_FILE_NAME,
            _("Look at that file on the server, and delete it."),
        )
    if app_settings.spool_directory is None:
        return Result(
            State.ATTENTION,
            _("The spool is in a folder for temporary files, which a restart may empty."),
            _("Set spool_directory in production."),
        )
    return Result(State.OK, _("The spool folder can be written to."))


def check_last_event(site: Site | None) -> Result:
    """Tell when somebody last opened or clicked something."""
    first = Mailing.objects.started().filter(started_at__isnull=False).last()
    if first is None or first.started_at is None:
        return Result(State.OFF, _("Nothing has been sent yet, so nothing can have come in."))
    latest = _latest()
    if latest:
        return Result(State.OK, _("The last open or click came in %s ago.") % time_since(latest))
    waited = timezone.now() - first.started_at
    return Result(
        State.ATTENTION if waited > QUIET else State.OK,
        _("No open and no click has come in since the first mailing, %s ago.")
        % time_since(first.started_at),
        _("Open one of your own e-mails and follow a link in it."),
    )


def check_counting(site: Site | None) -> Result:
    """Tell how copies of people who may not be known are counted."""
    return _COUNTING[app_settings.anonymous_counting]()


def _oldest() -> datetime | None:
    hit = Hit.objects.order_by("pk").first()
    if hit is None:
        return None
    try:
        return Observation.read(hit.line).at
    except UnreadableHit:
        return None


def _latest() -> datetime | None:
    found = [
        Event.objects.filter(kind=kind).order_by("-at").values_list("at", flat=True).first()
        for kind in (EventKind.OPEN, EventKind.CLICK)
    ]
    return max(filter(None, found), default=None)


_COUNTING = {
    "per_copy": lambda: Result(
        State.OK, _("Copies of people who may not be known are counted one by one, namelessly.")
    ),
    "shared": lambda: Result(
        State.OK,
        _(
            "Copies of people who may not be known are counted in totals only: rates are of the "
            "rest."
        ),
    ),
    "off": lambda: Result(
        State.OFF,
        _("Copies of people who may not be known have plain links and no pixel."),
        _("If they are to be counted, choose another value of anonymous_counting."),
    ),
}

CHECKS = [
    Check("recorder", gettext_lazy("Clicks are written down"), check_recorder),
    Check("pending", gettext_lazy("What is written down gets counted"), check_pending),
    Check("spool", gettext_lazy("Nothing is lost while the database is away"), check_spool),
    Check("counting", gettext_lazy("Everybody is counted"), check_counting),
    Check("last_event", gettext_lazy("Something has come in"), check_last_event),
]
