"""What the queue calls. Thin: the mailboxes in the settings are read one by one."""

from __future__ import annotations

import logging

from ..conf import app_settings
from . import visits
from .mailbox import MailboxError, poll

logger = logging.getLogger(__name__)


def poll_mailboxes() -> int:
    """Take in what waits in every mailbox; returns how many messages were.

    A mailbox that is away is logged and does not keep the others waiting.
    """
    handled = 0
    for mailbox in app_settings.mailboxes:
        try:
            handled += poll(mailbox)
        except MailboxError as error:
            logger.error("A mailbox cannot be read: %s", error)
            visits.note(mailbox, success=False)
        else:
            visits.note(mailbox, success=True)
    return handled
