"""What the diagnostics look at: one e-mail beside its sender's earlier ones, or many mailings.

Figures count people and image proxies, never machines: what a scanner did alarms nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from ..emails.models import Email
from ..mailings.models import Mailing
from . import gathering
from .comparison import ENOUGH
from .figures import Figures, ratio
from .models import Alert

DAY = timedelta(days=1)
"""By then what a mailing brings in has mostly come."""


@dataclass(frozen=True)
class Sent:
    """One mailing and its figures."""

    mailing: Mailing
    figures: Figures

    @property
    def begun(self) -> datetime:
        return gathering.begun(self.mailing)

    @property
    def volume(self) -> int:
        return self.figures.counts.delivered

    def rate(self, code: str) -> float:
        figure = self.figures.get(code)
        return (figure.rate if figure else None) or 0.0


@dataclass(frozen=True)
class EmailCase:
    """Everything that was sent of one e-mail, beside what is usual for its sender.

    *peers* are earlier mailings of the same sender with enough copies to say something.
    ``had_it_twice`` is counted for a thorough case only.
    """

    email: Email
    mailings: Sequence[Mailing]
    figures: Figures
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
        """Time since the newest mailing began."""
        return self.now - gathering.begun(self.mailings[0])

    @property
    def is_too_early(self) -> bool:
        return bool(self.mailings) and self.age < self.too_early

    @property
    def has_lasted_a_day(self) -> bool:
        return self.age >= DAY

    @property
    def delivered(self) -> int:
        return self.figures.counts.delivered

    @property
    def opened(self) -> int:
        return self.figures.counts.opened

    @property
    def opens(self) -> int:
        return self.figures.counts.opens

    @property
    def clicks(self) -> int:
        return self.figures.counts.clicks

    @property
    def clicks_identified(self) -> int:
        return self.figures.counts.clicks_identified

    def rate(self, code: str) -> float | None:
        figure = self.figures.get(code)
        return figure.rate if figure else None

    def usual(self, code: str) -> float | None:
        """Return the median rate of the sender's earlier mailings; None where they are too few.

        For a mailing that is still young, clicks are compared with what the earlier ones had
        at its age.
        """
        if code == "clicked" and self.clicked_by_hour is not None:
            rates = [self._clicked_at_my_age(sent) for sent in self.peers]
        else:
            rates = [sent.rate(code) for sent in self.peers if code in sent.figures]
        return median(rates) if len(rates) >= ENOUGH else None

    def _clicked_at_my_age(self, sent: Sent) -> float:
        until = sent.begun + self.age
        by_hour = (self.clicked_by_hour or {}).get(sent.mailing.pk, {})
        # Only hours that were over by then: better no alarm than a false one.
        clicked = sum(n for hour, n in by_hour.items() if hour + gathering.HOUR <= until)
        return ratio(clicked, sent.figures["clicked"].denominator) or 0.0


@dataclass(frozen=True)
class Series:
    """What one sender sent on one site, the newest first; only what can be judged."""

    name: str
    sent: Sequence[Sent]

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
