"""Settings of the servers that the story tests start: a database file and a real mail server."""

from __future__ import annotations

import os
from pathlib import Path

import django

from tests.settings import *  # noqa: F403
from wagtail_email_insights.queue import DEFAULT_Q_CLUSTER as Q_CLUSTER  # noqa: F401

FOLDER = Path(os.environ["STORY_FOLDER"])
SMTP_PORT = int(os.environ["STORY_SMTP_PORT"])

ROOT_URLCONF = "tests.story.urls"
WAGTAILADMIN_BASE_URL = f"http://127.0.0.1:{os.environ['STORY_PORT']}"

# Nothing may reach for the internet while a browser is looking.
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False

MEDIA_ROOT = FOLDER / "media"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "db.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
if django.VERSION >= (6, 1):
    MAILERS = {
        "default": {
            "BACKEND": SMTP_BACKEND,
            "OPTIONS": {"host": "127.0.0.1", "port": SMTP_PORT, "timeout": 10},
        }
    }
else:
    EMAIL_BACKEND = SMTP_BACKEND
    EMAIL_HOST = "127.0.0.1"
    EMAIL_PORT = SMTP_PORT
    EMAIL_TIMEOUT = 10

WAGTAIL_EMAIL_INSIGHTS = {"spool_directory": str(FOLDER / "spool"), "refresh_seconds": 1}
