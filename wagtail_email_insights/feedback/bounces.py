"""What a message that came back says: bounces, complaints and automatic replies of any make."""

from __future__ import annotations

import logging
from dataclasses import replace

from .addresses import address_in
from .auto_replies import is_auto_reply
from .complaints import is_complaint, read_complaint
from .delivery_status import is_delivery_status, read_delivery_status
from .free_form import is_bounce, read_bounce
from .messages import Part, parse
from .references import find_message_id, find_token
from .reports import MAX_REASON, Category, Report, ReportKind

logger = logging.getLogger(__name__)

__all__ = ["Category", "Report", "ReportKind", "read_message", "read_report"]


def read_report(raw_bytes: bytes) -> list[Report]:
    """Return what a mail says about deliveries, one Report per recipient, at least one.

    Understands RFC 3464 notifications, bounces in free form, RFC 5965 complaints and RFC 3834
    automatic replies; whatever else comes in, junk included, is of kind ``none``. Never raises.
    """
    try:
        return read_message(parse(raw_bytes))
    except Exception:
        # The last net: mail comes from strangers, and one message must not stop the intake.
        logger.exception("Could not read a message that came in")
        return [Report(ReportKind.NONE)]


def read_message(message: Part) -> list[Report]:
    """Like ``read_report``, for a message that was taken apart already."""
    token, message_id = find_token(message), find_message_id(message)
    return [replace(report, token=token, message_id=message_id) for report in _reports(message)]


def _reports(message: Part) -> list[Report]:
    """Ask in the order of certainty: what is marked by its type comes before what is guessed."""
    if is_complaint(message):
        return read_complaint(message)
    if is_delivery_status(message):
        return read_delivery_status(message) or [Report(ReportKind.NONE)]
    if is_bounce(message):
        return read_bounce(message) or [Report(ReportKind.NONE)]
    kind = ReportKind.AUTO_REPLY if is_auto_reply(message) else ReportKind.NONE
    writer = address_in(message.header("reply-to")) or address_in(message.header("from"))
    return [Report(kind, writer, reason=message.header("subject")[:MAX_REASON])]
