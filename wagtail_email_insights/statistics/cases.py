"""What the diagnostics look at: one e-mail beside its sender's earlier ones, or many mailings.

Figures count people and image proxies, never machines: what a scanner did alarms nobody. What
readers did is asked only of mailings whose readers have had time for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

from ..emails.models import Email
from ..mailings.models import Mailing
from . import gathering
from .comparison import ENOUGH, OF_LINKS, weighty, weighty_rate
from .figures import Figures
from .models import Alert

DAY = timedelta(days=1)
"""By then what a mailing brings in has mostly come."""

AT_ONCE = frozenset({"sent", "delivered", "bounced", "complained", "unsubscribed"})
"""Rates of everything that was sent, resends among it: they need not wait for readers."""


@dataclass(frozen=True)
class Sent:
    """One mailing and its figures."""

    mailing: Mailing
    figures: Figures
    has_links: bool = True

    @property
    def begun(self) -> datetime:
        return gathering.begun(self.mailing)

    @property
    def ended(self) -> datetime:
        return gathering.ended(self.mailing)

    @property
    def volume(self) -> int:
        """Copies sent, whether they arrived or not."""
        return self.figures.counts.sent

    def rate(self, code: str) -> float | None:
        """Return a rate; None where it is not known, or divides by too few copies to mean much."""
        if code in OF_LINKS and not self.has_links:
            return None
        return weighty_rate(self.figures, code)

    def clicked_of_sent(self) -> float | None:
        """Return the share of the copies sent that were clicked: it falls when fewer arrive."""
        counts = self.figures.counts
        return weighty(counts.clicked, counts.told_apart) if self.has_links else None


@dataclass(frozen=True)
class EmailCase:
    """Everything that was sent of one e-mail, beside what is usual for its sender.

    *ripe* are those of the mailings whose readers have had time: no copy of them is still to go
    out, and the last went out a while ago. Resends are none of them, for they go to those who did
    not click. ``response`` are the figures of these alone, ``figures`` of everything. *peers* are
    earlier mailings of the same sender. ``had_it_twice`` is counted for a thorough case only.
    """

    email: Email
    mailings: Sequence[Mailing]
    figures: Figures
    ripe: Sequence[Mailing]
    response: Figures
    now: datetime
    too_early: timedelta
    peers: Sequence[Sent] = ()
    clicked_by_hour: Mapping[int, Mapping[datetime, int]] | None = None
    has_links: bool = False
    opens_by_proxies: int = 0
    opened_at_once: int = 0
    had_it_twice: int | None = None
    muted: frozenset[str] = frozenset()
    alerts: Sequence[Alert] = ()

    @property
    def is_thorough(self) -> bool:
        return self.had_it_twice is not None

    @property
    def age(self) -> timedelta:
        """Time since the last copy of what can be judged went out; nothing where nothing can."""
        return self.now - max(map(gathering.ended, self.ripe), default=self.now)

    @property
    def young(self) -> Sequence[Mailing]:
        """What is still being sent or has only just been, the newest first; resends apart."""
        return [
            mailing
            for mailing in self.mailings
            if mailing.resend_of_id is None and mailing not in self.ripe
        ]

    @property
    def is_too_early(self) -> bool:
        """Tell whether nothing that was sent can be judged by what its readers did."""
        return bool(self.mailings) and not self.ripe

    @property
    def has_just_begun(self) -> bool:
        """Tell whether the first copies of the newest mailing have only just gone out."""
        return bool(self.mailings) and (
            self.now - gathering.begun(self.mailings[0]) < self.too_early
        )

    @property
    def has_lasted_a_day(self) -> bool:
        return self.age >= DAY

    @property
    def delivered(self) -> int:
        """Delivered copies of everything that was sent."""
        return self.figures.counts.delivered

    @property
    def opened(self) -> int:
        return self.response.counts.opened

    @property
    def opens(self) -> int:
        return self.response.counts.opens

    @property
    def clicks(self) -> int:
        return self.response.counts.clicks

    @property
    def clicks_identified(self) -> int:
        return self.response.counts.clicks_identified

    def rate(self, code: str) -> float | None:
        """Return a rate: of everything sent, or of what readers have had time for."""
        figure = (self.figures if code in AT_ONCE else self.response).get(code)
        return figure.rate if figure else None

    def usual(self, code: str) -> float | None:
        """Return the median rate of the sender's earlier mailings; None where they are too few.

        For a mailing that is still young, clicks are compared with what the earlier ones had
        at its age; one that began earlier and ended later has not had that age yet.
        """
        peers = [sent for sent in self.peers if self.now - sent.ended >= self.age]
        if code == "clicked" and self.clicked_by_hour is not None:
            rates = known(self._clicked_at_my_age(sent) for sent in peers)
        else:
            rates = known(sent.rate(code) for sent in peers)
        return median(rates) if len(rates) >= ENOUGH else None

    def _clicked_at_my_age(self, sent: Sent) -> float | None:
        if sent.rate("clicked") is None:
            return None
        until = sent.ended + self.age
        by_hour = (self.clicked_by_hour or {}).get(sent.mailing.pk, {})
        # Only hours that were over by then: better no alarm than a false one.
        clicked = sum(n for hour, n in by_hour.items() if hour + gathering.HOUR <= until)
        return clicked / sent.figures["clicked"].denominator


@dataclass(frozen=True)
class Series:
    """What one sender sent on one site, the newest first; only what can be judged.

    *subject* tells this sender and site from all others, whatever they are called.
    """

    name: str
    sent: Sequence[Sent]
    subject: str = ""

    def knowing(self, rate: Callable[[Sent], float | None]) -> Series:
        """Return the same without the mailings of which *rate* is not known."""
        return replace(self, sent=[sent for sent in self.sent if rate(sent) is not None])

    def split(self, number: int) -> tuple[Sequence[Sent], Sequence[Sent]]:
        """Return the newest *number* and all before them; nothing newest where they are fewer."""
        if len(self.sent) < number:
            return (), self.sent
        return self.sent[:number], self.sent[number:]


@dataclass(frozen=True)
class Overall:
    """What every sender sent lately."""

    series: Sequence[Series]
    now: datetime
    is_thorough: bool = False

    def returned(self, days: int, *, silent_days: int, mails: int) -> int:
        """Count contacts who clicked in the last *days*, after that much silence."""
        since = self.now - timedelta(days=days)
        return gathering.count_returned(since, since - timedelta(days=silent_days), mails)


def known(rates: Iterable[float | None]) -> list[float]:
    """Leave out what is not known: it is nothing, and not nought."""
    return [rate for rate in rates if rate is not None]
