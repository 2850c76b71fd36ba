"""Keeps caught mail in its own database, and everything else out of it."""

from __future__ import annotations

from typing import Any

APP_LABEL = "inbox"
DATABASE = "inbox"


class InboxRouter:
    def db_for_read(self, model: type, **hints: Any) -> str | None:
        return DATABASE if model._meta.app_label == APP_LABEL else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (app_label == APP_LABEL) == (db == DATABASE)
