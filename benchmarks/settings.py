"""The test project on a database of its own, mailing to the sink named in the environment."""

from __future__ import annotations

import os

import django

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

if "BENCH_SQLITE" in os.environ:
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BENCH_SQLITE"],
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }

SMTP = "django.core.mail.backends.smtp.EmailBackend"
PORT = int(os.environ.get("BENCH_SMTP_PORT", "0"))
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": SMTP, "OPTIONS": {"host": "127.0.0.1", "port": PORT or 25}}}
else:
    EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = SMTP, "127.0.0.1", PORT
