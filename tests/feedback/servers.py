"""Small real servers in a thread: as much IMAP4rev1 and POP3 as a mailbox reader needs."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Maildrop:
    """What the server holds; ``dies_at`` names a command at which it drops the connection."""

    messages: dict[int, bytes] = field(default_factory=dict)
    flags: dict[int, set[str]] = field(default_factory=dict)
    moved: list[tuple[str, bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    dies_at: str = ""
    has_uidl: bool = True
    size_of: dict[int, int] = field(default_factory=dict)

    def put(self, *raws: bytes) -> Maildrop:
        for raw in raws:
            number = max(self.messages, default=0) + 1
            self.messages[number] = raw
            self.flags[number] = set()
        return self


class _Handler(socketserver.StreamRequestHandler):
    @property
    def drop(self) -> Maildrop:
        return self.server.drop

    def say(self, *lines: str | bytes) -> None:
        for line in lines:
            raw = line if isinstance(line, bytes) else line.encode()
            self.wfile.write(raw + b"\r\n")

    def lines(self) -> Iterator[str]:
        while line := self.rfile.readline():
            text = line.decode().strip()
            self.drop.commands.append(text)
            if self.drop.dies_at and self.drop.dies_at in text:
                return
            yield text


class _Imap(_Handler):
    def handle(self) -> None:
        self.say("* OK [CAPABILITY IMAP4rev1 UIDPLUS] ready")
        for line in self.lines():
            tag, command, *rest = line.split(" ", 2)
            arguments = rest[0] if rest else ""
            if command == "UID":
                command, _, arguments = arguments.partition(" ")
            ok = getattr(self, f"do_{command.lower()}")(arguments)
            self.say(f"{tag} {ok or 'OK done'}")
            if command == "LOGOUT":
                return

    def do_capability(self, _: str) -> None:
        self.say("* CAPABILITY IMAP4rev1 UIDPLUS")

    def do_login(self, arguments: str) -> str | None:
        return None if arguments.endswith('"secret"') else "NO wrong password"

    def do_select(self, folder: str) -> str | None:
        if folder not in ('"INBOX"', '"Bounces here"'):
            return "NO no such folder"
        self.say(f"* {len(self.drop.messages)} EXISTS")
        return None

    def do_search(self, criteria: str) -> None:
        unwanted = {f"\\{name[2:].capitalize()}" for name in criteria.split()}
        found = [n for n in self.drop.messages if not self.drop.flags[n] & unwanted]
        self.say("* SEARCH " + " ".join(map(str, found)))

    def do_fetch(self, arguments: str) -> None:
        uid = int(arguments.split(maxsplit=1)[0])
        raw = self.drop.messages[uid]
        if "SIZE" in arguments:
            size = self.drop.size_of.get(uid, len(raw))
            self.say(f"* {uid} FETCH (UID {uid} RFC822.SIZE {size})")
            return
        self.say(f"* {uid} FETCH (UID {uid} BODY[] {{{len(raw)}}}")
        self.wfile.write(raw)
        self.say(")")

    def do_store(self, arguments: str) -> None:
        uid, flags = int(arguments.split(maxsplit=1)[0]), re.findall(r"\\\w+", arguments)
        self.drop.flags[uid].update(flags)

    def do_copy(self, arguments: str) -> None:
        uid, folder = arguments.split(" ", 1)
        self.drop.moved.append((folder, self.drop.messages[int(uid)]))

    def do_expunge(self, uid: str) -> None:
        if "\\Deleted" in self.drop.flags[int(uid)]:
            del self.drop.messages[int(uid)]

    def do_logout(self, _: str) -> None:
        self.say("* BYE")


class _Pop(_Handler):
    def handle(self) -> None:
        self.deleted: set[int] = set()
        self.say("+OK ready")
        for line in self.lines():
            command, *arguments = line.split()
            getattr(self, f"do_{command.lower()}")(*arguments)
            if command == "QUIT":
                return

    def do_user(self, _name: str) -> None:
        self.say("+OK")

    def do_pass(self, password: str) -> None:
        self.say("+OK" if password == "secret" else "-ERR wrong password")

    def do_list(self) -> None:
        self.say("+OK")
        for number, raw in self.drop.messages.items():
            self.say(f"{number} {self.drop.size_of.get(number, len(raw))}")
        self.say(".")

    def do_uidl(self) -> None:
        if not self.drop.has_uidl:
            self.say("-ERR what?")
            return
        self.say("+OK", *[f"{number} unique{number}" for number in self.drop.messages], ".")

    def do_retr(self, number: str) -> None:
        self.say("+OK")
        for line in self.drop.messages[int(number)].rstrip(b"\r\n").split(b"\r\n"):
            self.say(b"." + line if line.startswith(b".") else line)
        self.say(".")

    def do_dele(self, number: str) -> None:
        self.deleted.add(int(number))
        self.say("+OK")

    def do_quit(self) -> None:
        for number in self.deleted:
            del self.drop.messages[number]
        self.say("+OK bye")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def serve(protocol: str, drop: Maildrop) -> Iterator[int]:
    """Serve *drop* on a free port of this machine, which is yielded."""
    with _Server(("127.0.0.1", 0), _Imap if protocol == "imap" else _Pop) as server:
        server.drop = drop
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
