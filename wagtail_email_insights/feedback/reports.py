"""The words for what a message that came back says."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

MAX_REASON = 250


class ReportKind(models.TextChoices):
    """What a message that came in is; decides who acts on it."""

    HARD = "hard", _("Came back for good")
    SOFT = "soft", _("Came back for now")
    COMPLAINT = "complaint", _("Reported as spam")
    AUTO_REPLY = "auto_reply", _("Automatic reply")
    NONE = "none", _("No report")


class Category(models.TextChoices):
    """Why a message came back, in the words of a screen."""

    UNKNOWN_ADDRESS = "unknown_address", _("Address does not exist")
    DOMAIN_UNKNOWN = "domain_unknown", _("Domain does not exist")
    MAILBOX_DISABLED = "mailbox_disabled", _("Mailbox is closed")
    MAILBOX_FULL = "mailbox_full", _("Mailbox is full")
    GREYLISTED = "greylisted", _("Asked to come back later")
    RATE_LIMITED = "rate_limited", _("Too many messages at once")
    POLICY = "policy", _("Refused by a rule of the receiving side")
    REPUTATION = "reputation", _("Sending server or domain is not trusted")
    AUTH = "auth", _("SPF, DKIM or DMARC did not pass")
    CONTENT = "content", _("Content was refused")
    SIZE = "size", _("Message is too large")
    RELAY = "relay", _("Receiving server is not responsible for the address")
    PROTOCOL = "protocol", _("Servers did not understand each other")
    CONNECTION = "connection", _("Receiving server could not be reached")
    EXPIRED = "expired", _("Tried for too long")
    LOOP = "loop", _("Message went in circles")
    DELIVERED = "delivered", _("Arrived")
    ABUSE = "abuse", _("Reported as spam")
    OTHER = "other", _("No reason known")


PERMANENT = frozenset(
    {Category.UNKNOWN_ADDRESS, Category.DOMAIN_UNKNOWN, Category.MAILBOX_DISABLED}
)
"""The address will not work tomorrow either."""

SENDERS_FAULT = frozenset(
    {
        Category.RATE_LIMITED,
        Category.POLICY,
        Category.REPUTATION,
        Category.AUTH,
        Category.CONTENT,
        Category.SIZE,
        Category.RELAY,
        Category.PROTOCOL,
        Category.LOOP,
    }
)
"""Says something about us, our message or the whole provider: never held against the person."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one message says about one recipient.

    ``recipient`` is the person: the address the mail was for, or, for an answer, the address it
    comes from. ``code`` is the enhanced status (RFC 3463) as ``5.1.1``, empty where none is given;
    ``token`` a token of ours found in the message, ``message_id`` that of the mail it is about.
    """

    kind: ReportKind
    recipient: str = ""
    code: str = ""
    reason: str = ""
    category: Category = Category.OTHER
    token: str = ""
    message_id: str = ""

    @property
    def is_senders_fault(self) -> bool:
        return self.category in SENDERS_FAULT
