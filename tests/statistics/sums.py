"""Mailings of any size, by their sums alone: what diagnostics and summaries look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.factories import make_email, make_mailing
from wagtail_email_insights.mailings.models import Mailing, MailingState
from wagtail_email_insights.tracking.models import (
    Dimension,
    Event,
    EventKind,
    MailingTotals,
    Scope,
    Tally,
    TrackedLink,
)

NOW = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)


def sent(
    email=None,
    *,
    ago: timedelta = timedelta(days=5),
    delivered: int = 1000,
    hard: int = 0,
    links: int = 1,
    **fields,
) -> Mailing:
    """A finished mailing to *delivered* + *hard* people, begun *ago*; nobody has reacted yet."""
    mailing = make_mailing(
        email or make_email(),
        state=MailingState.SENT,
        started_at=NOW - ago,
        finished_at=NOW - ago,
        **fields,
    )
    total = delivered + hard
    MailingTotals.objects.create(
        mailing=mailing,
        is_fresh=True,
        audience=total,
        attempted=total,
        sent=total,
        told_apart=total,
        identified=total,
        hard_bounced=hard,
        told_apart_bounced=hard,
    )
    for position in range(links):
        TrackedLink.objects.create(mailing=mailing, position=position, url="https://example.com/")
    return mailing


def tally(
    mailing: Mailing,
    *,
    scopes=tuple(Scope),
    dimension: str = Dimension.ALL,
    key: str = "",
    **columns: int,
) -> None:
    """Set sums of a mailing; by default the same in every scope, as for people."""
    for scope in scopes:
        Tally.objects.update_or_create(
            mailing=mailing, scope=scope, dimension=dimension, key=key, defaults=columns
        )


def clicked_in_hour(mailing: Mailing, clicked: int, *, after: timedelta) -> None:
    """Have copies first opened and clicked in the hour that long after the beginning."""
    key = (mailing.started_at + after).astimezone(UTC).strftime("%Y-%m-%dT%H")
    tally(mailing, dimension=Dimension.HOUR, key=key, opened=clicked, clicked=clicked)


def usual(*, clicked: int = 100, times: int = 4, **columns: int) -> list[Mailing]:
    """What the sender sent before: every month, to 1,000 people."""
    mailings = [sent(ago=timedelta(days=30 * number)) for number in range(1, times + 1)]
    for mailing in mailings:
        tally(mailing, opened=3 * clicked, clicked=clicked, clicks=clicked, **columns)
        clicked_in_hour(mailing, clicked, after=timedelta(minutes=5))
    return mailings


def somebody_reports(kind: EventKind) -> None:
    """Have one old event of a kind, so that its figures are there at all."""
    Event.objects.create(kind=kind, at=NOW - timedelta(days=900))
