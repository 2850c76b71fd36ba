"""An e-mail that a mailing has scheduled or sent can no longer be edited."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _
from wagtail.locks import BaseLock

from ..emails import locks
from ..emails.models import Email
from .models import Mailing, MailingState


class MailingLock(BaseLock):
    """The lock of an e-mail that is scheduled, being sent or sent; it holds for everybody."""

    def __init__(self, email: Email, mailing: Mailing) -> None:
        super().__init__(email)
        self.mailing = mailing

    def for_user(self, user: Any) -> bool:
        return True

    def get_message(self, user: Any) -> str:
        if self.mailing.state == MailingState.SCHEDULED:
            return _(
                "This e-mail is scheduled and cannot be edited. Cancel the schedule to edit it."
            )
        return format_html(
            "{} {}",
            _("This e-mail has been sent and cannot be edited."),
            _("Copy it to write the next one."),
        )

    def get_icon(self, user: Any) -> str:
        return "mail"

    def get_locked_by(self, user: Any) -> str:
        if self.mailing.state == MailingState.SCHEDULED:
            return _("Locked because it is scheduled")
        return _("Locked because it has been sent")

    def get_description(self, user: Any) -> str:
        return self.get_message(user)


@locks.register
def mailing_lock(email: Email) -> MailingLock | None:
    """Return the lock of the newest mailing that froze *email*, if any."""
    mailing = (
        email.mailings.exclude(state=MailingState.DRAFT)
        .exclude(state=MailingState.CANCELLED, started_at=None)
        .order_by("-id")
        .first()
    )
    return MailingLock(email, mailing) if mailing else None
