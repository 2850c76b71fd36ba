"""Writing down opens and clicks, with the contact only where consent allows it, now."""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django import db
from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from .. import signals
from ..consents.queries import is_known
from ..contacts.actions import lock_contact
from ..mailings.models import Delivery
from ..tokens import Kind, Token
from . import spool
from .links import Destination
from .models import Event, EventKind
from .verdicts import Judgement

logger = logging.getLogger(__name__)

ANONYMOUS_KINDS = {Kind.CLICK_ANONYMOUS, Kind.OPEN_ANONYMOUS}


class Observation(NamedTuple):
    """An open or click as it came in, before anybody asked whose it may be."""

    kind: str
    at: datetime
    mailing_id: int
    link_id: int | None
    identified: bool
    copy: int
    variant: int
    verdict: str
    verdict_reason: str


def observe_click(
    token: Token, destination: Destination, judgement: Judgement, *, at: datetime | None = None
) -> Observation:
    """Describe the click that a CLICK or CLICK_ANONYMOUS token stands for."""
    return Observation(
        kind=EventKind.CLICK.value,
        at=at or timezone.now(),
        mailing_id=destination.mailing_id,
        link_id=destination.link_id,
        identified=token.kind not in ANONYMOUS_KINDS,
        copy=token.values[1],
        variant=destination.variant,
        verdict=judgement.verdict.value,
        verdict_reason=judgement.reason,
    )


def observe_open(token: Token, judgement: Judgement, *, at: datetime | None = None) -> Observation:
    """Describe the open that an OPEN or OPEN_ANONYMOUS token stands for."""
    mailing_id, copy, variant = token.values[:3]
    return Observation(
        kind=EventKind.OPEN.value,
        at=at or timezone.now(),
        mailing_id=mailing_id,
        link_id=None,
        identified=token.kind not in ANONYMOUS_KINDS,
        copy=copy,
        variant=variant,
        verdict=judgement.verdict.value,
        verdict_reason=judgement.reason,
    )


def record(observation: Observation) -> Event | None:
    """Store *observation*; the consent of the contact is asked at this moment.

    Never raises, for the reader comes first: an event that the database would not take is spooled
    to disk for ``replay_events``, one of a mailing that was deleted is dropped; both return None.
    """
    try:
        return store(observation)
    except IntegrityError:
        logger.info("Dropped an event of a mailing that no longer exists")
    except db.Error:
        logger.exception("Could not record an event; it is spooled for replay_events")
        _keep_for_later(observation)
    return None


@transaction.atomic
def store(observation: Observation) -> Event:
    """Insert the event; raises ``django.db.Error``. Listeners hear of it on commit."""
    contact_id, copy = _whose(observation)
    event = Event.objects.create(
        kind=observation.kind,
        at=observation.at,
        mailing_id=observation.mailing_id,
        link_id=observation.link_id,
        contact_id=contact_id,
        copy=copy,
        variant=observation.variant,
        verdict=observation.verdict,
        verdict_reason=observation.verdict_reason,
    )
    announce(event)
    return event


def announce(event: Event) -> None:
    """Send ``event_recorded`` on commit; a listener that fails is logged and costs no event."""
    transaction.on_commit(partial(signals.event_recorded.send_robust, Event, event=event))


def replay() -> int:
    """Store every spooled event and return how many there were.

    Raises ``django.db.Error`` while the database refuses, OSError when the spool cannot be read.
    """
    return spool.replay(_store_again)


def try_replay() -> int:
    """Store what is spooled if that is possible now; trouble is logged. For regular calls."""
    try:
        return replay()
    except (db.Error, OSError):
        logger.exception("Could not store the spooled events; they are kept")
        return 0


def _store_again(fields: dict[str, Any]) -> None:
    try:
        with contextlib.suppress(IntegrityError):
            store(Observation(**fields))
    except (TypeError, ValueError, DataError) as error:
        raise spool.UnreadableEvent from error


def _keep_for_later(observation: Observation) -> None:
    try:
        spool.append(observation._asdict())
    except OSError:
        logger.exception("Lost an event: neither database nor spool took it: %r", observation)


def _whose(observation: Observation) -> tuple[int | None, int | None]:
    """Return the contact that may be named, and the number that tells this copy apart.

    A copy whose contact may no longer be known gets neither: counting it under a lasting number
    would lead back to the delivery, so it counts in totals only. The contact is locked before
    consent is asked: a withdrawal is either seen here, or comes after and strips this event too.
    """
    if not observation.identified:
        return None, -observation.copy or None
    contact_id = (
        Delivery.objects.filter(pk=observation.copy, mailing=observation.mailing_id)
        .values_list("contact_id", flat=True)
        .first()
    )
    if contact_id is None:
        return None, None
    lock_contact(contact_id)
    return (contact_id, observation.copy) if is_known(contact_id) else (None, None)
