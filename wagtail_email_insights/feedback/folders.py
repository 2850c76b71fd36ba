"""The two protocols that a mailbox speaks, behind the same five verbs."""

from __future__ import annotations

import hashlib
import imaplib
import poplib
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from .models import SeenReport

if TYPE_CHECKING:
    from .mailbox import Mailbox

IMAP_PORT = 143
IMAPS_PORT = 993

TROUBLE = (imaplib.IMAP4.error, poplib.error_proto, OSError, EOFError)


class MailboxError(Exception):
    """The mailbox cannot be reached or read, or its settings are wrong."""


class Folder(ABC):
    """Messages waiting in one mailbox; a context manager that connects and says goodbye.

    Trouble with the server inside the block comes out as MailboxError.
    """

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    def __enter__(self) -> Self:
        try:
            self._open()
        except TROUBLE as error:
            self._give_up()
            raise MailboxError(f"{self.mailbox}: {_in_words(error)}") from error
        return self

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, TROUBLE) and not isinstance(error, MailboxError):
            self._give_up()
            raise MailboxError(f"{self.mailbox}: {_in_words(error)}") from error
        try:
            self._close()
        except TROUBLE:
            self._give_up()

    @abstractmethod
    def _open(self) -> None: ...

    @abstractmethod
    def _close(self) -> None: ...

    @abstractmethod
    def _give_up(self) -> None:
        """Drop the connection; never raises."""

    @abstractmethod
    def messages(self, limit: int) -> Iterator[tuple[str, int]]:
        """Yield the name and the size of at most *limit* messages that nobody dealt with yet."""

    @abstractmethod
    def fetch(self, name: str) -> bytes: ...

    @abstractmethod
    def finish(self, name: str) -> None:
        """The message was dealt with: remove it, or remember it where it is to be kept."""

    @abstractmethod
    def set_aside(self, name: str) -> None:
        """Leave the message for a person and do not offer it again."""


class ImapFolder(Folder):
    """A folder on an IMAP4rev1 server; messages are named by their UID.

    Flagged means set aside; with *keep*, seen means dealt with, so nobody else should read there.
    """

    _connection: imaplib.IMAP4 | None = None

    @property
    def _imap(self) -> imaplib.IMAP4:
        if self._connection is None:
            raise MailboxError("not connected")
        return self._connection

    def _open(self) -> None:
        self._connection = self._connect()
        self._imap.login(self.mailbox.username, self.mailbox.password)
        self._check(self._imap.select(_quoted(self.mailbox.folder)))

    def _connect(self) -> imaplib.IMAP4:
        box = self.mailbox
        context = ssl.create_default_context()
        if box.ssl is True:
            port = box.port or IMAPS_PORT
            return imaplib.IMAP4_SSL(box.host, port, ssl_context=context, timeout=box.timeout)
        connection = imaplib.IMAP4(box.host, box.port or IMAP_PORT, timeout=box.timeout)
        if box.ssl:
            connection.starttls(context)
        return connection

    def _close(self) -> None:
        self._imap.logout()

    def _give_up(self) -> None:
        if self._connection is not None:
            with suppress(*TROUBLE):
                self._connection.shutdown()

    def messages(self, limit: int) -> Iterator[tuple[str, int]]:
        criteria = ["UNDELETED", "UNFLAGGED", *(["UNSEEN"] if self.mailbox.keep else [])]
        [found] = self._check(self._imap.uid("SEARCH", *criteria))[:1] or [b""]
        for uid in (found or b"").split()[:limit]:
            name = uid.decode("ascii")
            yield name, self._size(name)

    def fetch(self, name: str) -> bytes:
        for item in self._check(self._imap.uid("FETCH", name, "(BODY.PEEK[])")):
            if isinstance(item, tuple):
                return item[1]
        raise MailboxError(f"{self.mailbox}: message {name} cannot be read")

    def finish(self, name: str) -> None:
        if self.mailbox.keep:
            self._flag(name, r"\Seen")
            return
        if self.mailbox.move_to:
            self._check(self._imap.uid("COPY", name, _quoted(self.mailbox.move_to)))
        self._flag(name, r"\Deleted")
        if "UIDPLUS" in self._imap.capabilities:
            self._imap.uid("EXPUNGE", name)
        else:
            self._imap.expunge()

    def set_aside(self, name: str) -> None:
        self._flag(name, r"\Flagged")

    def _flag(self, name: str, flag: str) -> None:
        self._check(self._imap.uid("STORE", name, "+FLAGS.SILENT", f"({flag})"))

    def _size(self, name: str) -> int:
        answer = self._check(self._imap.uid("FETCH", name, "(RFC822.SIZE)"))
        text = b" ".join(item for item in answer if isinstance(item, bytes))
        digits = text.upper().partition(b"RFC822.SIZE")[2].strip(b" )").split(b" ")[0]
        return int(digits) if digits.isdigit() else 0

    def _check(self, answer: tuple[str, list[Any]]) -> list[Any]:
        status, data = answer
        if status != "OK":
            raise imaplib.IMAP4.error(f"{status}: {data!r}")
        return data


class PopFolder(Folder):
    """A POP3 maildrop; messages are named by their number in this session.

    What the server calls a message by (UIDL) is remembered for those that stay.
    """

    _connection: poplib.POP3 | None = None

    @property
    def _pop(self) -> poplib.POP3:
        if self._connection is None:
            raise MailboxError("not connected")
        return self._connection

    def _open(self) -> None:
        self._connection = self._connect()
        self._pop.user(self.mailbox.username)
        self._pop.pass_(self.mailbox.password)
        self._keys = self._read_keys()

    def _connect(self) -> poplib.POP3:
        box = self.mailbox
        context = ssl.create_default_context()
        if box.ssl is True:
            port = box.port or poplib.POP3_SSL_PORT
            return poplib.POP3_SSL(box.host, port, context=context, timeout=box.timeout)
        connection = poplib.POP3(box.host, box.port or poplib.POP3_PORT, timeout=box.timeout)
        if box.ssl:
            connection.stls(context)
        return connection

    def _close(self) -> None:
        # Only now the server removes what was deleted.
        self._pop.quit()

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def messages(self, limit: int) -> Iterator[tuple[str, int]]:
        sizes = (line.decode("ascii", "replace").split() for line in self._pop.list()[1])
        waiting = [(number, size) for number, size, *_rest in sizes if not self._is_known(number)]
        for number, size in waiting[:limit]:
            yield number, int(size)

    def fetch(self, name: str) -> bytes:
        # Noted before reading and forgotten after: a line too long for poplib ends the session,
        # and the same message must not end the next one as well.
        self._remember(name)
        raw = b"\r\n".join(self._pop.retr(int(name))[1]) + b"\r\n"
        self._forget(name)
        return raw

    def finish(self, name: str) -> None:
        if self.mailbox.keep:
            self._remember(name)
        else:
            self._pop.dele(int(name))

    def set_aside(self, name: str) -> None:
        self._remember(name)

    def _read_keys(self) -> dict[str, str]:
        try:
            lines = self._pop.uidl()[1]
        except poplib.error_proto:
            # UIDL is optional in RFC 1939; without it, only the content tells messages apart.
            return {}
        pairs = (line.decode("utf-8", "replace").split(" ", 1) for line in lines)
        return {pair[0]: self._key(pair[-1]) for pair in pairs}

    def _key(self, unique_id: str) -> str:
        box = self.mailbox
        text = f"pop3:{box.host}:{box.port}:{box.username}:{unique_id}"
        return hashlib.sha256(text.encode()).hexdigest()

    def _is_known(self, name: str) -> bool:
        key = self._keys.get(name)
        return key is not None and SeenReport.objects.filter(key=key).exists()

    def _remember(self, name: str) -> None:
        if name in self._keys:
            SeenReport.objects.get_or_create(key=self._keys[name])

    def _forget(self, name: str) -> None:
        if name in self._keys:
            SeenReport.objects.filter(key=self._keys[name]).delete()


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _in_words(error: BaseException) -> str:
    return str(error) or type(error).__name__
