"""Writing down what readers do: safely, at once, and without keeping them waiting.

A request to one of our addresses is written down by ``record`` and answered. It becomes an event
soon after: when the answer is out, if it is quiet; by a worker, once a second; or when somebody
looks at figures (``draining``).
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime

from django.db import connections, router
from django.utils import timezone

from ..conf import app_settings
from ..tokens import Kind, Token
from .draining import catch_up, drain, is_pending, try_drain
from .hits import PERSON, Observation, Traits
from .links import Destination
from .models import EventKind, Evidence, Hit
from .recorders import RecorderAway
from .writing import writer

__all__ = [
    "catch_up",
    "drain",
    "is_pending",
    "observe_link",
    "observe_mailing",
    "record",
    "try_drain",
]

logger = logging.getLogger(__name__)

ABOUT_LINKS = {
    Kind.CLICK: (EventKind.CLICK, True),
    Kind.CLICK_ANONYMOUS: (EventKind.CLICK, False),
    Kind.FILE: (EventKind.DOWNLOAD, True),
    Kind.FILE_ANONYMOUS: (EventKind.DOWNLOAD, False),
}
"""Tokens that name a link and a copy: what following is, and whether the copy is identified."""

ABOUT_MAILINGS = {
    Kind.OPEN: (EventKind.OPEN, True),
    Kind.OPEN_ANONYMOUS: (EventKind.OPEN, False),
    Kind.WEB_VERSION: (EventKind.WEB_VIEW, True),
    Kind.WEB_VERSION_ANONYMOUS: (EventKind.WEB_VIEW, False),
    Kind.TRAP: (EventKind.CLICK, True),
    Kind.TRAP_ANONYMOUS: (EventKind.CLICK, False),
}
"""Tokens that name a mailing, a copy and a variant."""

TRAPS = (Kind.TRAP, Kind.TRAP_ANONYMOUS)


def observe_link(
    token: Token,
    destination: Destination,
    traits: Traits = PERSON,
    *,
    at: datetime | None = None,
) -> Observation:
    """Describe that a link or an attachment was followed; *token* is one of ABOUT_LINKS."""
    kind, identified = ABOUT_LINKS[token.kind]
    return Observation(
        kind=kind.value,
        at=at or timezone.now(),
        mailing_id=destination.mailing_id,
        link_id=destination.link_id,
        identified=identified,
        copy=token.values[1],
        variant=destination.variant,
        verdict=traits.verdict,
        verdict_reason=traits.reason,
        device=traits.device,
        client=traits.client,
        network=traits.network,
        evidence=Evidence.LOOKAHEAD.value if traits.looks_ahead else "",
    )


def observe_mailing(
    token: Token, traits: Traits = PERSON, *, at: datetime | None = None
) -> Observation:
    """Describe an open, a web view or a step into the trap; *token* is one of ABOUT_MAILINGS."""
    kind, identified = ABOUT_MAILINGS[token.kind]
    mailing_id, copy, variant = token.values[:3]
    return Observation(
        kind=kind.value,
        at=at or timezone.now(),
        mailing_id=mailing_id,
        link_id=None,
        identified=identified,
        copy=copy,
        variant=variant,
        verdict=traits.verdict,
        verdict_reason=traits.reason,
        device=traits.device,
        client=traits.client,
        network=traits.network,
        evidence=_evidence(token, traits),
    )


def record(observation: Observation) -> None:
    """Have *observation* safe when this returns; never raises, for the reader comes first.

    What the recorder does not take goes to the spool on this host's disk.
    """
    try:
        writer.write(observation.line())
    except RecorderAway:
        logger.exception("Lost a hit: neither recorder nor spool took it: %r", observation)
        return
    _quiet.note()


def after_response(**_kwargs: object) -> None:
    """Make events of what this thread has just recorded, if it is quiet; on ``request_finished``.

    The reader has been answered by then. Under load nothing is done here: workers take many hits
    at a time, which costs a tenth.
    """
    if not _quiet.should_drain():
        return
    connection = connections[router.db_for_write(Hit)]
    was_closed = connection.connection is None
    # The reader's next click may come on this connection: it must not wait for whoever writes.
    catch_up(batches=1, milliseconds=0)
    if was_closed:
        # Django has done this for the request already, and will not do it for us.
        connection.close_if_unusable_or_obsolete()


class _Quiet:
    """Whether so little happens in this process that each hit may become an event at once."""

    def __init__(self) -> None:
        self._thread = threading.local()
        self._second = 0
        self._number = 0
        self._number_before = 0
        """In the second before: every second begins with few, also under load."""

    def note(self) -> None:
        second = int(time.monotonic())
        if second != self._second:
            self._number_before = self._number if second == self._second + 1 else 0
            self._second, self._number = second, 0
        self._number += 1
        self._thread.has_recorded = True

    def should_drain(self) -> bool:
        """Tell whether this thread has something new to drain and there is time; asks once."""
        has_recorded = getattr(self._thread, "has_recorded", False)
        self._thread.has_recorded = False
        busiest = max(self._number, self._number_before)
        return has_recorded and busiest <= app_settings.at_once_per_second


_quiet = _Quiet()


def _evidence(token: Token, traits: Traits) -> str:
    if token.kind in TRAPS:
        return Evidence.TRAP.value
    return Evidence.LOOKAHEAD.value if traits.looks_ahead else ""
