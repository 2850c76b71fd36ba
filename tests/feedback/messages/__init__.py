"""Mails that came back, written from the RFCs and the providers' public documentation.

Each module holds a table of Cases: the raw mail and what must be read out of it.
"""

from __future__ import annotations

from . import auto_replies, complaints, delivery_reports, free_form, people
from .building import Case

CASES: list[Case] = [
    *delivery_reports.CASES,
    *free_form.CASES,
    *complaints.CASES,
    *auto_replies.CASES,
    *people.CASES,
]
