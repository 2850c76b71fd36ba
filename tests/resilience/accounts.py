"""Who got what, by the books of the site and by those of the mail server."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tests.processes import Oracle, Site

UNSUBSCRIBED = 30
REFUSED = 5
"""Addresses that the oracle does not take."""

STATES = """
    SELECT contact.email, delivery.state FROM wagtail_email_insights_delivery AS delivery
    JOIN wagtail_email_insights_contact AS contact ON contact.id = delivery.contact_id
"""


def is_sent(site: Site) -> bool:
    return site.query("SELECT state FROM wagtail_email_insights_mailing") == [("sent",)]


@dataclass(frozen=True)
class Account:
    """The state of each copy by address, and how often the mail server accepted each address."""

    states: dict[str, str]
    accepted: Counter[str]

    @classmethod
    def of(cls, site: Site, oracle: Oracle) -> Account:
        return cls(dict(site.query(STATES)), Counter(oracle.recipients))

    @property
    def lost(self) -> set[str]:
        """Those who have nothing and of whom the site does not say that they may have nothing."""
        settled = self.in_state("failed", "uncertain", "skipped")
        return set(self.states) - settled - set(self.accepted)

    @property
    def twice(self) -> set[str]:
        return {address for address, number in self.accepted.items() if number > 1}

    @property
    def wrongly(self) -> set[str]:
        """Those who have a mail that the site knows nothing of."""
        return set(self.accepted) - self.in_state("sent", "uncertain")

    @property
    def uncertain(self) -> int:
        return len(self.in_state("uncertain"))

    def in_state(self, *states: str) -> set[str]:
        return {address for address, state in self.states.items() if state in states}

    def check(self, *, people: int, uncertain_at_most: int) -> None:
        """Assert that everybody has one mail, or is among the few of whom nobody can tell."""
        assert not self.lost
        assert not self.twice
        assert not self.wrongly
        assert self.uncertain <= uncertain_at_most
        totals = Counter(self.states.values())
        assert set(totals) <= {"sent", "failed", "uncertain", "skipped"}, totals
        assert totals.total() == people + UNSUBSCRIBED, totals
        assert totals["skipped"] == UNSUBSCRIBED, totals
        refused = {f"refused{number}@example.org" for number in range(REFUSED)}
        assert self.in_state("failed") <= refused
        assert refused <= self.in_state("failed", "uncertain")
