"""A mail server that delivers nothing: everything it accepts lies in the inbox."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from example_site.inbox.models import CaughtMail

HOST = "127.0.0.1"
STORE_SECONDS = 0.2


class Catcher:
    """Accepts mails at the speed they come and stores them in batches, a moment later."""

    def __init__(self) -> None:
        self._waiting: list[CaughtMail] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._waiting += CaughtMail.from_wire(bytes(envelope.content), envelope.rcpt_tos)
        return "250 Caught"

    async def store_until(self, stop: asyncio.Event) -> None:
        """Keep storing; returns once *stop* is set and everything is stored."""
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), STORE_SECONDS)
            await self._store()

    async def _store(self) -> None:
        batch, self._waiting = self._waiting, []
        if batch:
            await sync_to_async(CaughtMail.objects.bulk_create)(batch)


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
        catcher = Catcher()
        server = await loop.create_server(partial(self._session, catcher), HOST, port)
        self.stdout.write(_("Catching mail on {host}:{port}").format(host=HOST, port=port))
        self.stdout.flush()
        await catcher.store_until(stop)
        server.close()

    @staticmethod
    def _session(catcher: Catcher) -> SMTP:
        return SMTP(catcher, hostname="localhost", enable_SMTPUTF8=True)
