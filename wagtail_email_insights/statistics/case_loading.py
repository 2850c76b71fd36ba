"""Gathering cases: as many queries for a list of e-mails as for one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from ..emails.models import Email
from ..mailings.models import Mailing
from . import gathering
from .cases import DAY, EmailCase, Overall, Sent, Series
from .comparison import least_copies
from .figures import Figures, figures_for_groups
from .models import Alert, Mute

YOUNG = timedelta(days=3)
"""Until so long after its end a mailing is compared with what others had by then."""


def cases_of(
    emails: Iterable[Email],
    *,
    too_early: timedelta,
    is_thorough: bool = False,
    now: datetime | None = None,
) -> list[EmailCase]:
    """Return a case for each e-mail, whatever was sent of it, in the order given."""
    now = now or timezone.now()
    own = _own(list(emails), too_early, now)
    earlier = _earlier(own)
    peers = list({peer.pk: peer for of_one in earlier.values() for peer in of_one}.values())
    everything, responses, each = _figures(own, peers)
    beside = _beside(own, peers, is_thorough=is_thorough)
    sent = {
        peer.pk: Sent(peer, figures, peer.pk in beside.with_links)
        for peer, figures in zip(peers, each, strict=True)
    }
    by_hour = _clicked_by_hour(own, peers, now)
    return [
        EmailCase(
            email=one.email,
            mailings=one.mailings,
            figures=figures,
            ripe=one.ripe,
            response=response,
            now=now,
            too_early=too_early,
            peers=[sent[peer.pk] for peer in one.among(earlier)],
            clicked_by_hour=by_hour if one.is_young(now) else None,
            **beside.of(one),
        )
        for one, figures, response in zip(own, everything, responses, strict=True)
    ]


def overall_case(*, is_thorough: bool = False, now: datetime | None = None) -> Overall:
    """Return what every sender sent lately and what can be judged of it."""
    now = now or timezone.now()
    by_line: dict[gathering.Line, list[Sent]] = defaultdict(list)
    for sent in _each_sent(gathering.lately(now)):
        if sent.volume >= least_copies() and now - sent.ended >= DAY:
            by_line[gathering.line_of(sent.mailing)].append(sent)
    series = [
        Series(gathering.name_of(of_one[0].mailing), of_one, gathering.subject_of(line))
        for line, of_one in by_line.items()
    ]
    return Overall(series, now, is_thorough)


@dataclass(frozen=True)
class _Own:
    """One e-mail, what was sent of it, and what of that can be judged by what readers did."""

    email: Email
    mailings: Sequence[Mailing]
    ripe: Sequence[Mailing]

    @property
    def newest(self) -> Mailing | None:
        """The mailing that is measured by what its sender sent before."""
        return next(iter([*self.ripe, *self.mailings]), None)

    def among(self, earlier: Mapping[int, Sequence[Mailing]]) -> Sequence[Mailing]:
        return earlier[self.newest.pk] if self.newest else ()

    def is_young(self, now: datetime) -> bool:
        return bool(self.ripe) and self.age(now) < YOUNG

    def age(self, now: datetime) -> timedelta:
        return now - max(map(gathering.ended, self.ripe))


@dataclass(frozen=True)
class _Beside:
    """What is known of mailings and e-mails beside their figures, by their id."""

    with_links: Collection[int]
    opens_by_proxies: Mapping[int, int]
    opened_at_once: Mapping[int, int]
    had_it_twice: Mapping[int, int] | None
    mutes: Mapping[int, Sequence[Mute]]
    alerts: Mapping[int, Sequence[Alert]]

    def of(self, one: _Own) -> dict[str, Any]:
        """Return what of this an EmailCase holds."""
        ids, email = [mailing.pk for mailing in one.ripe], one.email.pk
        twice = self.had_it_twice
        return {
            "has_links": any(pk in self.with_links for pk in ids),
            "opens_by_proxies": sum(self.opens_by_proxies.get(pk, 0) for pk in ids),
            "opened_at_once": sum(self.opened_at_once.get(pk, 0) for pk in ids),
            "had_it_twice": None if twice is None else twice.get(email, 0),
            "muted": frozenset(mute.code for mute in self.mutes.get(email, ())),
            "alerts": self.alerts.get(email, ()),
        }


def _own(emails: Sequence[Email], too_early: timedelta, now: datetime) -> list[_Own]:
    found: dict[int, list[Mailing]] = {email.pk: [] for email in emails}
    for mailing in gathering.sent_of(emails):
        found[mailing.email_id].append(mailing)
    return [
        _Own(email, found[email.pk], _ripe(found[email.pk], too_early, now)) for email in emails
    ]


def _ripe(mailings: Sequence[Mailing], too_early: timedelta, now: datetime) -> list[Mailing]:
    return [
        mailing
        for mailing in mailings
        if mailing.resend_of_id is None and gathering.is_ripe(mailing, now, too_early)
    ]


def _earlier(own: Sequence[_Own]) -> dict[int, list[Mailing]]:
    """Return what each e-mail is measured by, by the id of the mailing that is measured."""
    return gathering.earlier_of_senders(
        [one.newest for one in own if one.newest],
        most_of_one_email=max((len(one.mailings) for one in own), default=0),
    )


def _figures(
    own: Sequence[_Own], peers: Sequence[Mailing]
) -> tuple[list[Figures], list[Figures], list[Figures]]:
    """Return the figures of everything sent of each e-mail, of what is ripe, and of each peer."""
    groups = [one.mailings for one in own] + [one.ripe for one in own]
    found = figures_for_groups([*groups, *([peer] for peer in peers)])
    return found[: len(own)], found[len(own) : len(groups)], found[len(groups) :]


def _each_sent(mailings: Sequence[Mailing]) -> list[Sent]:
    linked = gathering.with_links([mailing.pk for mailing in mailings])
    figures = figures_for_groups([[mailing] for mailing in mailings])
    return [
        Sent(mailing, of_one, mailing.pk in linked)
        for mailing, of_one in zip(mailings, figures, strict=True)
    ]


def _beside(own: Sequence[_Own], peers: Sequence[Mailing], *, is_thorough: bool) -> _Beside:
    ripe = [mailing for one in own for mailing in one.ripe]
    ids = [mailing.pk for mailing in ripe]
    emails = [one.email for one in own]
    every = {one.email.pk: one.mailings for one in own}
    return _Beside(
        with_links=gathering.with_links([*ids, *(peer.pk for peer in peers)]),
        opens_by_proxies=gathering.opens_by_proxies(ids),
        opened_at_once=gathering.opened_at_once(ripe),
        had_it_twice=gathering.had_it_twice(every) if is_thorough else None,
        mutes=_by_email(Mute.objects.filter(email__in=emails)),
        alerts=_by_email(Alert.objects.filter(email__in=emails, over_at=None)),
    )


def _clicked_by_hour(
    own: Sequence[_Own], peers: Sequence[Mailing], now: datetime
) -> dict[int, dict[datetime, int]]:
    ages = [one.age(now) for one in own if one.is_young(now)]
    return gathering.clicked_by_hour(peers, max(ages)) if ages else {}


def _by_email(rows: Iterable) -> dict[int, list]:
    found: dict[int, list] = defaultdict(list)
    for row in rows:
        found[row.email_id].append(row)
    return found
