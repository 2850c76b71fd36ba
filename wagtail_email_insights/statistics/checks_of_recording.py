"""Whether clicks are written down and become events."""

from __future__ import annotations

import logging
import os
import tempfile
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.models import Site

from ..conf import app_settings
from ..mailings.models import Mailing, MailingContent
from ..sending.preparing import PIXEL_TAG
from ..tracking import recording, spool
from ..tracking.draining import UNREADABLE
from ..tracking.hits import Observation
from ..tracking.models import Dimension, Event, EventKind, Scope, Tally, TrackedLink, Verdict
from ..tracking.recorders import Backlog, RecorderAway, recorder, sources
from .comparison import LOOK_BACK
from .counts import Counts, count_groups
from .tracking_check import Check, Result, State
from .wording import number, time_since

logger = logging.getLogger(__name__)

LONG = timedelta(seconds=30)
"""Workers look every second: what waits longer waits for somebody who is not there."""

QUIET = timedelta(days=1)
"""Until then even a mailing that is tracked well may not have been opened."""

SIGNS = (EventKind.OPEN, EventKind.CLICK)


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
    """Tell whether hits wait to become events, wherever they may lie."""
    recording.catch_up()
    backlogs = _backlogs()
    if not backlogs:
        return Result(State.OK, _("Nothing waits: every open and click has been counted."))
    known = [backlog.since for backlog in backlogs if backlog.since]
    if known and timezone.now() - min(known) >= LONG:
        return _waiting_for_long(min(known), sum(backlog.number or 0 for backlog in backlogs))
    if len(known) < len(backlogs):
        return Result(
            State.ATTENTION,
            _("Opens and clicks may wait to be counted; since when cannot be seen from here."),
            _("Test again in a minute; if this stays, see that the recorder and a worker run."),
        )
    return Result(State.OK, _("Opens and clicks come in right now; they count within seconds."))


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
    """Tell whether the newest mailing that has gone to enough readers was opened or clicked.

    Where there is none yet, tell when somebody last opened or clicked anything.
    """
    first = Mailing.objects.started().filter(started_at__isnull=False).last()
    if first is None or first.started_at is None:
        return Result(State.OFF, _("Nothing has been sent yet, so nothing can have come in."))
    if judged := _newest_to_judge():
        return _of_mailing(*judged)
    return _of_last_event(first.started_at)


def check_counting(site: Site | None) -> Result:
    """Tell how copies of people who may not be known are counted."""
    return _COUNTING[app_settings.anonymous_counting]()


def _backlogs() -> list[Backlog]:
    """Return what waits anywhere; of a place that cannot be asked, nothing is known."""
    found: list[Backlog] = []
    for source in sources():
        try:
            found += source.backlogs()
        except UNREADABLE:
            logger.exception("A place that hits may lie in cannot be read")
            found.append(Backlog())
    return found


def _waiting_for_long(oldest: datetime, about: int) -> Result:
    told = _(
        "Opens and clicks wait to be counted, the oldest for %(time)s; about %(number)s lie there."
    )
    return Result(
        State.ATTENTION,
        told % {"time": time_since(oldest), "number": number(about)},
        _("See that a worker runs, and look into its log."),
    )


def _newest_to_judge() -> tuple[Mailing, Counts] | None:
    """Return the newest mailing that should have been opened by now, and what came of it."""
    mailings = list(_finished_with_signs()[:LOOK_BACK])
    each = count_groups([[mailing] for mailing in mailings], Scope.EVERYTHING)
    floor = max(1, app_settings.ranking_floor)
    for mailing, counts in zip(mailings, each, strict=True):
        copies = counts.identified if mailing.counts_only_identified else counts.sent
        if copies >= floor:
            return mailing, counts
    return None


def _finished_with_signs() -> QuerySet[Any]:
    """Return the mailings that ended a day ago or before and have a link or a pixel, newest first.

    ``counts_only_identified`` says that the other copies have plain links and no pixel.
    """
    contents = MailingContent.objects.filter(mailing=OuterRef("pk"))
    has_links = Exists(TrackedLink.objects.filter(mailing=OuterRef("pk")))
    return (
        Mailing.objects.started()
        .filter(has_links | Exists(contents.filter(html__contains=PIXEL_TAG)))
        .filter(started_at__isnull=False, finished_at__lt=timezone.now() - QUIET)
        .annotate(counts_only_identified=Exists(contents.filter(anonymous_counting="off")))
        .select_related("email")
        .order_by("-finished_at", "-pk")
    )


def _of_mailing(mailing: Mailing, counts: Counts) -> Result:
    words = {"email": mailing.email, "time": time_since(mailing.finished_at or timezone.now())}
    if not _has_come_in(mailing, counts):
        told = ngettext(
            "No open and no click of “%(email)s” has come in: its %(number)s copy went out "
            "%(time)s ago.",
            "No open and no click of “%(email)s” has come in: its %(number)s copies went out "
            "%(time)s ago.",
            counts.sent,
        )
        return Result(State.ATTENTION, told % {**words, "number": number(counts.sent)}, _try_it())
    told = _("Opens or clicks of “%(email)s”, which went out %(time)s ago, have come in.") % words
    if latest := _latest():
        told += " " + _last_came(latest)
    return Result(State.OK, told)


def _has_come_in(mailing: Mailing, counts: Counts) -> bool:
    if counts.opened or counts.opens or counts.clicks:
        return True
    # A mailing from before there were tallies has its events alone.
    return Event.objects.filter(mailing=mailing, kind__in=SIGNS).exists()


def _of_last_event(began: datetime) -> Result:
    """Judge by what came in of any mailing, the first of which *began* then."""
    if latest := _latest():
        return Result(State.OK, _last_came(latest))
    if _is_anything_summed_up():
        return Result(
            State.OK, _("Opens and clicks have come in; when, retention has deleted by now.")
        )
    return Result(
        State.ATTENTION if timezone.now() - began > QUIET else State.OK,
        _("No open and no click has come in since the first mailing, %s ago.") % time_since(began),
        _try_it(),
    )


def _is_anything_summed_up() -> bool:
    came_in = Q(opened__gt=0) | Q(opens__gt=0) | Q(clicks__gt=0)
    of_all = Tally.objects.filter(scope=Scope.EVERYTHING, dimension=Dimension.ALL, key="")
    return of_all.filter(came_in).exists()


def _last_came(latest: datetime) -> str:
    return _("The last open or click came in %s ago.") % time_since(latest)


def _try_it() -> str:
    return _("Open one of your own e-mails and follow a link in it.")


def _latest() -> datetime | None:
    found = [
        Event.objects.filter(kind=kind).order_by("-at").values_list("at", flat=True).first()
        for kind in SIGNS
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
