"""Real servers for the tests: a web server, a cluster and mail servers, each on a free port.

Every child process leads a process group of its own, so that it can be stopped, or killed, with
everything it has started. Nothing here talks to a database through Django: the tests themselves
run with other settings than these servers.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
SETTINGS = "tests.story.settings"
START_SECONDS = 60
STOP_SECONDS = 15
REAP_TASK = "wagtail_email_insights.sending.tasks.reap"

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, seconds: float, what: str) -> T:
    """Return the first true answer of *condition*; fails with *what* after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds:.0f} s for {what}")
        time.sleep(0.05)
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


class Process:
    """``python -m …`` in its own process group, with everything it says in a file."""

    def __init__(self, *arguments: str, environment: dict[str, str], log: Path) -> None:
        self.arguments = arguments
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self.popen.poll() is None

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_ready(self, condition: Callable[[], bool]) -> None:
        wait_until(
            lambda: condition() or not self.is_running,
            seconds=START_SECONDS,
            what=f"{self.arguments} to be ready; see {self.log}",
        )
        if not self.is_running:
            raise AssertionError(f"{self.arguments} ended at once:\n{self.said[-3000:]}")

    def wait(self, *, seconds: float) -> int:
        return self.popen.wait(seconds)

    def kill(self) -> None:
        """``kill -9`` the whole group, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ask politely, then make sure that nothing of the group is left."""
        if self.is_running:
            self.popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(seconds)
        self.kill()

    def announced(self, pattern: str) -> list[int]:
        """Return the process ids that it has told of in words that match *pattern*."""
        return [int(pid) for pid in re.findall(pattern, self.said)]

    def children(self, *, of: int | None = None) -> list[int]:
        """Return the ids of its own child processes, or of those of the process *of*."""
        parent = of or self.popen.pid
        try:
            listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            return []
        return [int(pid) for pid in listed.split()]

    def kill_child(self, pid: int) -> None:
        """``kill -9`` one process of the group."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True)
class CaughtMail:
    """One mail as the server got it, envelope included; *client* is how it said hello."""

    sender: str
    recipient: str
    raw: bytes
    peer: Any = None
    client: str = ""
    at: float = field(default_factory=time.monotonic)

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)  # type: ignore[return-value]

    @property
    def html(self) -> str:
        return self._body("html")

    @property
    def text(self) -> str:
        return self._body("plain")

    def _body(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return part.get_content() if part else ""


class MailServer:
    """A real SMTP server in a thread, on a free port, that keeps what it accepts."""

    def __init__(self) -> None:
        self.mails: list[CaughtMail] = []
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mail server", daemon=True)

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)

    def to(self, recipient: str) -> list[CaughtMail]:
        return [mail for mail in self.mails if mail.recipient == recipient]

    def wait_for(self, recipient: str, *, number: int = 1, seconds: float = 30) -> CaughtMail:
        """Return the mail with this *number*, counted from 1, to *recipient*."""
        return wait_until(
            lambda: self.to(recipient)[number - 1 : number],
            seconds=seconds,
            what=f"mail number {number} to {recipient}",
        )[0]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mails = [
            CaughtMail(
                envelope.mail_from or "",
                to,
                bytes(envelope.content or b""),
                session.peer,
                session.host_name or "",
            )
            for to in envelope.rcpt_tos
        ]
        return await self.answer(mails)

    async def answer(self, mails: list[CaughtMail]) -> str:
        """Keep the mails of one transaction and say what the client is told."""
        self.mails += mails
        return "250 Caught"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        session = partial(SMTP, self, hostname="localhost", loop=self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(session, sock=self._listening)
        )
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._end_sessions())
        self._loop.close()

    async def _end_sessions(self) -> None:
        sessions = asyncio.all_tasks() - {asyncio.current_task()}
        for task in sessions:
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


class Oracle(MailServer):
    """Knows who has a mail: a recipient is on disk before the client hears that it is accepted."""

    def __init__(self, path: Path, *, delay: float = 0.0, refuse: str = "refused") -> None:
        super().__init__()
        self.path = path
        self.delay = delay
        self.refuse = refuse
        path.touch()

    @property
    def recipients(self) -> list[str]:
        return self.path.read_text().splitlines()

    async def answer(self, mails: list[CaughtMail]) -> str:
        if self.refuse in mails[0].recipient:
            return "550 5.1.1 Nobody of that name"
        with self.path.open("a") as file:
            file.writelines(f"{mail.recipient}\n" for mail in mails)
            file.flush()
            os.fsync(file.fileno())
        self.mails += mails
        # The mail is ours by now, whatever happens to the client while it waits.
        await asyncio.sleep(self.delay)
        return "250 Caught"


class Postgres:
    """A PostgreSQL server of our own that may be shut down hard; there is one database in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        folders = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))
        self._search = os.pathsep.join([os.environ["PATH"], *reversed(folders)])
        # It refuses to run as root, and must be able to enter its folder.
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    @property
    def url(self) -> str:
        return f"postgres://tests@{HOST}:{self.port}/postgres"

    def __enter__(self) -> Postgres:
        if self._as_user:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "--auth=trust", "--username=tests", "--encoding=UTF8", "--no-sync")
        self._control("start")
        return self

    def __exit__(self, *_details: object) -> None:
        self._control("stop", "--mode=immediate")

    @property
    def log(self) -> str:
        """What the server wrote down, mistakes of its clients among it."""
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        self._control("start")

    def stop(self, mode: str = "fast") -> None:
        self._control("stop", f"--mode={mode}")

    def restart(self, mode: str) -> None:
        """Shut down *fast* (connections are cut) or *immediate* (as a crash) and start again."""
        self._control("restart", f"--mode={mode}")

    def _control(self, verb: str, *arguments: str) -> None:
        options = f"-p {self.port} -h {HOST} -k {self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self._run("pg_ctl", verb, "--wait", f"--log={log}", f"--options={options}", *arguments)

    def _run(self, name: str, *arguments: str) -> None:
        program = program_of(name, self._search)
        subprocess.run(
            [*self._as_user, program, *arguments, f"--pgdata={self.folder / 'data'}"],
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


class Redis:
    """A Redis server of our own that keeps nothing on disk."""

    def __init__(self) -> None:
        self.port = free_port()

    def __enter__(self) -> Redis:
        command = [program_of("redis-server"), "--bind", HOST, "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers, seconds=START_SECONDS, what="Redis")
        return self

    def __exit__(self, *_details: object) -> None:
        self._process.terminate()
        self._process.wait()

    def flush(self) -> None:
        assert self._say(b"FLUSHALL").startswith(b"+OK")

    def _answers(self) -> bool:
        with suppress(OSError):
            return self._say(b"PING").startswith(b"+PONG")
        return False

    def _say(self, command: bytes) -> bytes:
        with socket.create_connection((HOST, self.port), 5) as connection:
            connection.sendall(command + b"\r\n")
            return connection.recv(100)


class NotInstalled(RuntimeError):
    """A program that a test needs is not on this machine."""


def program_of(name: str, search: str | None = None) -> str:
    """Return the path of the program *name*; raises NotInstalled."""
    path = shutil.which(name, path=search)
    if not path:
        raise NotInstalled(f"{name} is not installed")
    return path


@dataclass
class Site:
    """A site with a database of its own, whose servers are started and stopped one by one.

    The database is a file in *folder* unless *database_url* names a PostgreSQL server. *variables*
    are more environment variables, for settings that look at them.
    """

    folder: Path
    smtp_port: int
    port: int = field(default_factory=free_port)
    settings: str = SETTINGS
    database_url: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    _processes: list[Process] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def database(self) -> Path:
        return self.folder / "db.sqlite3"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": self.settings,
            "STORY_FOLDER": str(self.folder),
            "STORY_PORT": str(self.port),
            "STORY_SMTP_PORT": str(self.smtp_port),
            "STORY_DATABASE_URL": self.database_url,
            "PYTHONUNBUFFERED": "1",
            **self.variables,
        }

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def shell(self, code: str) -> str:
        """Run Python *code* with the site's own settings and database."""
        return self.manage("shell", "-v0", "-c", code)

    def start(self, *arguments: str, program: str = "django") -> Process:
        """Start a management command that stays, and stop it with the site."""
        log = self.folder / f"{len(self._processes)}-{re.sub(r'[^a-z]', '', arguments[0])}.log"
        process = Process(program, *arguments, environment=self.environment, log=log)
        self._processes.append(process)
        return process

    def start_web(self) -> Process:
        # --insecure: static files without DEBUG, which would change how errors are answered.
        web = self.start("runserver", "--noreload", "--insecure", f"{HOST}:{self.port}")
        web.wait_ready(partial(answers, f"{self.url}/admin/login/"))
        return web

    def start_gunicorn(self, *, processes: int = 2, threads: int = 8) -> Process:
        """Start the web server of a site in production, whose processes and threads keep on."""
        web = self.start(
            "django.core.wsgi:get_wsgi_application()",
            f"--bind={HOST}:{self.port}",
            f"--workers={processes}",
            f"--threads={threads}",
            "--worker-class=gthread",
            "--no-control-socket",
            program="gunicorn",
        )
        web.wait_ready(partial(answers, f"{self.url}/admin/login/"))
        return web

    def start_cluster(self) -> Process:
        cluster = self.start("qcluster")
        cluster.wait_ready(lambda: "running" in cluster.said)
        return cluster

    def ring_the_alarm(self) -> None:
        """Have the cluster look for what is due now, not at the next full minute."""
        self.shell(f"from django_q.tasks import async_task; async_task({REAP_TASK!r})")

    def query(self, sql: str, *values: Any) -> list[tuple]:
        """Return the rows of *sql*; reads beside the servers without stopping them."""
        if self.database_url:
            return self._query_postgres(sql, *values)
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    def _query_postgres(self, sql: str, *values: Any) -> list[tuple]:
        import psycopg

        with psycopg.connect(self.database_url) as connection:
            cursor = connection.execute(sql.replace("?", "%s"), values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.stop()

    @property
    def diary(self) -> str:
        """Everything the servers said, for the report of a test that failed."""
        return "\n".join(f"{process.log.name}:\n{process.said}" for process in self._processes)


@contextmanager
def running_site(folder: Path, smtp_port: int, **options: Any) -> Iterator[Site]:
    """Yield a migrated site in *folder*; whatever was started on it is stopped afterwards.

    Folders with the same parent share the work of migrating a database file. The *options* are
    more fields of the Site.
    """
    site = Site(folder, smtp_port, **options)
    _migrate(site, folder.parent / "migrated.sqlite3")
    try:
        yield site
    finally:
        site.stop()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _migrate(site: Site, template: Path) -> None:
    if site.database_url:
        site.manage("migrate", "-v0")
    elif not template.exists():
        site.manage("migrate", "-v0")
        shutil.copyfile(site.database, template)
    else:
        shutil.copyfile(template, site.database)
