"""Complaints of readers: RFC 5965 (ARF), and Outlook.com's form that has no report part."""

from __future__ import annotations

import re

from .addresses import address_in
from .messages import Headers, Part, parse_headers
from .references import original_headers
from .reports import MAX_REASON, Category, Report, ReportKind

REPORT_TYPE = "message/feedback-report"
NO_COMPLAINT = frozenset({"not-spam", "auth-failure", "dmarc"})
OUTLOOK_RECIPIENT = "x-hmxmroriginalrecipient"
"""Outlook.com (JMRP) adds this header to the mail it returns, and nothing else that can be read."""

_REDACTED = re.compile(r"redact|removed|hidden|x{3,}|\*{2,}", re.I)
_OUTLOOK_SUBJECT = re.compile(r"^complaint about message from ", re.I)


def is_complaint(message: Part) -> bool:
    return message.find(REPORT_TYPE) is not None or _is_from_outlook(message)


def read_complaint(message: Part) -> list[Report]:
    """Return one report per recipient named; one without recipient where it is redacted."""
    part = message.find(REPORT_TYPE)
    fields = parse_headers(part.text) if part else {}
    original = original_headers(message)
    feedback = fields.get("feedback-type", ["abuse"])[0].strip().lower() or "abuse"
    if feedback in NO_COMPLAINT:
        return [Report(ReportKind.NONE, reason=feedback[:MAX_REASON])]
    return [
        Report(
            kind=ReportKind.COMPLAINT,
            recipient=recipient,
            reason=feedback[:MAX_REASON],
            category=Category.ABUSE,
        )
        for recipient in _recipients(fields, original)
    ]


def _is_from_outlook(message: Part) -> bool:
    original = original_headers(message)
    if not original:
        return False
    return OUTLOOK_RECIPIENT in original or bool(_OUTLOOK_SUBJECT.match(message.header("subject")))


def _recipients(fields: Headers, original: Headers) -> list[str]:
    named = (
        fields.get("original-rcpt-to")
        or original.get(OUTLOOK_RECIPIENT)
        or fields.get("removal-recipient")
        or original.get("to", [])
    )
    found = [address_in(value) for value in named[:20] if not _REDACTED.search(value)]
    return list(dict.fromkeys(filter(None, found))) or [""]
