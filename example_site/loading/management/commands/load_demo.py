"""Fills an empty example site, once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from example_site.loading import actions


class Command(BaseCommand):
    help = "Load the demonstration: pages, lists, contacts, past mailings and a draft."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--contacts", type=int, default=2000, help="how many (default: 2000)")
        parser.add_argument("--reset", action="store_true", help="throw away what is there first")

    def handle(self, *args: Any, contacts: int, reset: bool, **options: Any) -> None:
        if reset:
            actions.reset()
        if actions.is_loaded():
            actions.use_port(settings.PORT)
            self.stdout.write("The demonstration is already loaded (--reset starts again).")
            return
        actions.load(contacts, settings.PORT, say=self.stdout.write)
        self.stdout.write(self.style.SUCCESS("Loaded. Log in to /admin/ as admin / demo."))
