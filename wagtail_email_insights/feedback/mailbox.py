"""Bounces and replies out of a mailbox, over IMAP or POP3.

A message is handled in one transaction and only then removed. Killed in between, it is met again
and recognised by its content (SeenReport): each counts exactly once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.db import DatabaseError

from .actions import handle
from .folders import Folder, ImapFolder, MailboxError, PopFolder

logger = logging.getLogger(__name__)

MAX_MESSAGES = 200
MAX_BYTES = 20_000_000
SECONDS = 60

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

__all__ = ["Mailbox", "MailboxError", "poll"]


@dataclass(frozen=True)
class Mailbox:
    """How to reach one mailbox; the keys of an entry in the setting ``mailboxes``.

    ``ssl`` is True for TLS from the first byte, "starttls", or False, which only a server on this
    machine is asked with. What is done is deleted, or with *keep* only marked as read (IMAP) or
    remembered (POP3), or moved to the folder *move_to* (IMAP).
    """

    host: str
    username: str
    password: str
    protocol: Literal["imap", "pop3"] = "imap"
    port: int | None = None
    ssl: bool | Literal["starttls"] = True
    folder: str = "INBOX"
    keep: bool = False
    move_to: str = ""
    timeout: float = 30

    def __post_init__(self) -> None:
        if self.protocol not in ("imap", "pop3"):
            raise MailboxError(f"protocol is imap or pop3, not {self.protocol!r}")
        if self.ssl not in (True, False, "starttls"):
            raise MailboxError(f"ssl is True, False or 'starttls', not {self.ssl!r}")
        if not self.ssl and self.host not in LOCAL_HOSTS:
            raise MailboxError("a password goes unencrypted to this machine only: set ssl")

    def __str__(self) -> str:
        return f"{self.protocol}://{self.username}@{self.host}/{self.folder}"

    def folder_class(self) -> type[Folder]:
        return ImapFolder if self.protocol == "imap" else PopFolder


def poll(mailbox: Mapping[str, Any], *, limit: int = MAX_MESSAGES, seconds: float = SECONDS) -> int:
    """Take in what is in *mailbox* and return how many messages were; stops after *limit*.

    Messages of more than 20 MB stay where they are, as does one that cannot be handled; both are
    marked so that they hold up nothing. Raises MailboxError when the mailbox cannot be read and
    DatabaseError when nothing can be stored: what is left waits for the next time.
    """
    settings = _settings(mailbox)
    deadline = time.monotonic() + seconds
    handled = 0
    with settings.folder_class()(settings) as folder:
        for number, size in folder.messages(limit):
            if time.monotonic() > deadline:
                break
            if size > MAX_BYTES:
                logger.warning("%s: a message of %s bytes is left alone", settings, size)
                folder.set_aside(number)
                continue
            handled += _take_one(folder, number)
    return handled


def _take_one(folder: Folder, number: str) -> int:
    raw = folder.fetch(number)
    try:
        handle(raw)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("A message could not be handled and is left alone")
        folder.set_aside(number)
        return 0
    folder.finish(number)
    return 1


def _settings(mailbox: Mapping[str, Any]) -> Mailbox:
    try:
        return Mailbox(**mailbox)
    except TypeError as error:
        raise MailboxError(f"wrong entry in the setting mailboxes: {error}") from error
