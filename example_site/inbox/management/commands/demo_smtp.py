"""A mail server that delivers nothing: everything it accepts lies in the inbox."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from example_site.inbox.models import CaughtMail

HOST = "127.0.0.1"


class Catcher:
    """Answers the SMTP session; the reply follows only once the mail is stored."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await sync_to_async(CaughtMail.catch)(bytes(envelope.content), envelope.rcpt_tos)
        return "250 Caught"


class Command(BaseCommand):
    help = "Accept every mail on a local port and put it into the inbox instead of delivering it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.SMTP_PORT)

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        # Otherwise Django keeps a copy of every statement, each with a whole mail in it.
        settings.DEBUG = False
        asyncio.run(self._serve(port))

    async def _serve(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        server = await loop.create_server(self._session, HOST, port)
        self.stdout.write(_("Catching mail on {host}:{port}").format(host=HOST, port=port))
        self.stdout.flush()
        await stop.wait()
        server.close()

    @staticmethod
    def _session() -> SMTP:
        return SMTP(Catcher(), hostname="localhost", enable_SMTPUTF8=True)
