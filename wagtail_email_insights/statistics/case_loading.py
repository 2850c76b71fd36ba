"""Gathering cases: as many queries for a list of e-mails as for one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from ..conf import app_settings
from ..emails.models import Email
from ..mailings.models import Mailing
from . import gathering
from .cases import DAY, EmailCase, Overall, Sent, Series
from .figures import Figures, figures_for_groups
from .models import Alert, Mute

YOUNG = timedelta(days=3)
"""Until this age a mailing is compared with what others had at its age."""


def cases_of(
    emails: Iterable[Email],
    *,
    too_early: timedelta,
    is_thorough: bool = False,
    now: datetime | None = None,
) -> list[EmailCase]:
    """Return a case for each e-mail, whatever was sent of it, in the order given."""
    emails, now = list(emails), now or timezone.now()
    mailings = _mailings_by_email(emails)
    newest = [of_one[0] for of_one in mailings.values() if of_one]
    peers = gathering.earlier_of_senders(newest)
    own = [mailings[email.pk] for email in emails]
    figures = figures_for_groups([*own, *([peer] for peer in peers)])
    beside = _beside(emails, mailings, is_thorough=is_thorough)
    weighty = _weighty(peers, figures[len(own) :])
    by_hour = _clicked_by_hour(newest, weighty, now)
    return [
        _case(email, of_email, mailings[email.pk], weighty, by_hour, beside, now, too_early)
        for email, of_email in zip(emails, figures, strict=False)
    ]


def overall_case(*, is_thorough: bool = False, now: datetime | None = None) -> Overall:
    """Return what every sender sent lately and what can be judged of it."""
    now = now or timezone.now()
    mailings = gathering.lately(now)
    by_line: dict[gathering.Line, list[Sent]] = defaultdict(list)
    for sent in _weighty(mailings, figures_for_groups([[mailing] for mailing in mailings])):
        if now - sent.begun >= DAY:
            by_line[gathering.line_of(sent.mailing)].append(sent)
    series = [Series(gathering.name_of(of_one[0].mailing), of_one) for of_one in by_line.values()]
    return Overall(series, now, is_thorough)


@dataclass(frozen=True)
class _Beside:
    """What is known of mailings and e-mails beside their figures, by their id."""

    with_links: Collection[int]
    opens_by_proxies: Mapping[int, int]
    opened_at_once: Mapping[int, int]
    had_it_twice: Mapping[int, int] | None
    mutes: Mapping[int, Sequence[Mute]]
    alerts: Mapping[int, Sequence[Alert]]


def _beside(
    emails: Sequence[Email], mailings: Mapping[int, Sequence[Mailing]], *, is_thorough: bool
) -> _Beside:
    every = [mailing for of_one in mailings.values() for mailing in of_one]
    ids = [mailing.pk for mailing in every]
    return _Beside(
        with_links=gathering.with_links(ids),
        opens_by_proxies=gathering.opens_by_proxies(ids),
        opened_at_once=gathering.opened_at_once(every),
        had_it_twice=gathering.had_it_twice(mailings) if is_thorough else None,
        mutes=_by_email(Mute.objects.filter(email__in=emails)),
        alerts=_by_email(Alert.objects.filter(email__in=emails, over_at=None)),
    )


def _case(
    email: Email,
    figures: Figures,
    mailings: Sequence[Mailing],
    weighty: Sequence[Sent],
    by_hour: Mapping[int, Mapping[datetime, int]],
    beside: _Beside,
    now: datetime,
    too_early: timedelta,
) -> EmailCase:
    ids = [mailing.pk for mailing in mailings]
    twice = beside.had_it_twice
    return EmailCase(
        email=email,
        mailings=mailings,
        figures=figures,
        now=now,
        too_early=too_early,
        peers=_peers_of(mailings, weighty),
        clicked_by_hour=by_hour if mailings and _is_young(mailings[0], now) else None,
        has_links=any(pk in beside.with_links for pk in ids),
        opens_by_proxies=sum(beside.opens_by_proxies.get(pk, 0) for pk in ids),
        opened_at_once=sum(beside.opened_at_once.get(pk, 0) for pk in ids),
        had_it_twice=None if twice is None else twice.get(email.pk, 0),
        muted=frozenset(mute.code for mute in beside.mutes.get(email.pk, ())),
        alerts=beside.alerts.get(email.pk, ()),
    )


def _mailings_by_email(emails: Sequence[Email]) -> dict[int, list[Mailing]]:
    found: dict[int, list[Mailing]] = {email.pk: [] for email in emails}
    for mailing in gathering.sent_of(emails):
        found[mailing.email_id].append(mailing)
    return found


def _weighty(mailings: Sequence[Mailing], each: Sequence[Figures]) -> list[Sent]:
    """Return the mailings with enough delivered copies to say something."""
    floor = max(1, app_settings.ranking_floor)
    pairs = zip(mailings, each, strict=True)
    return [
        Sent(mailing, figures) for mailing, figures in pairs if figures.counts.delivered >= floor
    ]


def _peers_of(mailings: Sequence[Mailing], weighty: Sequence[Sent]) -> list[Sent]:
    """Return what the sender of the newest of *mailings* sent before it, of other e-mails too."""
    if not mailings:
        return []
    newest, own = mailings[0], {mailing.pk for mailing in mailings}
    earlier = [
        sent
        for sent in weighty
        if gathering.line_of(sent.mailing) == gathering.line_of(newest)
        and sent.begun < gathering.begun(newest)
        and sent.mailing.pk not in own
    ]
    return earlier[: gathering.LOOK_BACK]


def _clicked_by_hour(
    newest: Sequence[Mailing], weighty: Sequence[Sent], now: datetime
) -> dict[int, dict[datetime, int]]:
    ages = [now - gathering.begun(mailing) for mailing in newest if _is_young(mailing, now)]
    if not ages:
        return {}
    return gathering.clicked_by_hour([sent.mailing for sent in weighty], max(ages))


def _is_young(mailing: Mailing, now: datetime) -> bool:
    return now - gathering.begun(mailing) < YOUNG


def _by_email(rows: Iterable) -> dict[int, list]:
    found: dict[int, list] = defaultdict(list)
    for row in rows:
        found[row.email_id].append(row)
    return found
