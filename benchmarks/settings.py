"""The test project on a database of its own, mailing to the sink named in the environment.

Middleware and connections are those of a Wagtail site in production.
"""

from __future__ import annotations

import json
import os

import django

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, MIDDLEWARE

ROOT_URLCONF = "benchmarks.web"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    *MIDDLEWARE,
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]
WAGTAIL_EMAIL_INSIGHTS = json.loads(os.environ.get("BENCH_EMAIL_INSIGHTS", "{}"))

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

DATABASES["default"]["CONN_MAX_AGE"] = None

SMTP = "django.core.mail.backends.smtp.EmailBackend"
PORT = int(os.environ.get("BENCH_SMTP_PORT", "0"))
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": SMTP, "OPTIONS": {"host": "127.0.0.1", "port": PORT or 25}}}
else:
    EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = SMTP, "127.0.0.1", PORT
