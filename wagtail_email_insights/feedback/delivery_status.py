"""Delivery status notifications as RFC 3464 has them: one block of fields per recipient."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .addresses import address_in
from .classifying import categorise, enhanced_code, severity
from .messages import Headers, Part, parse_headers
from .reports import MAX_REASON, Category, Report, ReportKind

STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
MAX_RECIPIENTS = 100

NO_FAILURE = {
    "delivered": Category.DELIVERED,
    "relayed": Category.OTHER,
    "expanded": Category.OTHER,
}
"""Actions that say the mail went on; only the first says it arrived."""

_TYPE = re.compile(r"^\s*[\w.-]{1,40}\s*;\s*")


@dataclass(frozen=True)
class _Status:
    """One recipient's block, and what the notification says in its part for people."""

    fields: Headers
    human_text: str

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, [""])[0]

    @property
    def action(self) -> str:
        return self["action"].split("(")[0].strip().lower()

    @property
    def recipient(self) -> str:
        original = address_in(_TYPE.sub("", self["original-recipient"]))
        return original or address_in(_TYPE.sub("", self["final-recipient"]))

    @property
    def diagnostic(self) -> str:
        return " ".join(_TYPE.sub("", self["diagnostic-code"]).split())

    @property
    def code(self) -> str:
        status = enhanced_code(self["status"])
        if status.endswith(".0.0") or not status:
            return enhanced_code(self.diagnostic) or status
        return status

    @property
    def category(self) -> Category:
        """The server's words decide; the text for people is asked where they say nothing."""
        category = categorise(self.code, self.diagnostic)
        if category == Category.OTHER:
            return categorise(self.code, self.human_text)
        return category

    def report(self) -> Report:
        if self.action in NO_FAILURE:
            category = NO_FAILURE[self.action]
            return Report(ReportKind.NONE, self.recipient, self.code, category=category)
        category = self.category
        kind = severity(self.code, self.diagnostic, category)
        return Report(
            kind=ReportKind.SOFT if self.action == "delayed" else kind,
            recipient=self.recipient,
            code=self.code,
            reason=(self.diagnostic or self["status"])[:MAX_REASON],
            category=category,
        )


def is_delivery_status(message: Part) -> bool:
    return message.find(*STATUS_TYPES) is not None


def read_delivery_status(message: Part) -> list[Report]:
    """Return a report per recipient; empty if no recipient's block can be read."""
    return list(islice(_reports(message), MAX_RECIPIENTS))


def _reports(message: Part) -> Iterator[Report]:
    for part in message.walk():
        if part.content_type in STATUS_TYPES:
            for fields in map(parse_headers, re.split(r"\n[ \t]*\n", part.text)):
                if "final-recipient" in fields or "original-recipient" in fields:
                    yield _Status(fields, message.readable).report()
