"""Settings of the example site: everything on one machine, nothing to set up.

The environment may change: ``DEMO_PORT`` and ``DEMO_SMTP_PORT`` (where the two servers listen),
``DEMO_VAR_DIR`` (where everything that is written goes) and ``DATABASE_URL`` (PostgreSQL in place
of SQLite).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django

from wagtail_email_insights.queue import DEFAULT_Q_CLUSTER

SITE_DIR = Path(__file__).resolve().parent
VAR_DIR = Path(os.environ.get("DEMO_VAR_DIR", SITE_DIR / "var"))
VAR_DIR.mkdir(parents=True, exist_ok=True)
PORT = int(os.environ.get("DEMO_PORT", "8000"))
SMTP_PORT = int(os.environ.get("DEMO_SMTP_PORT", "8025"))

# For the demonstration only: a real site keeps its key out of the repository.
SECRET_KEY = "example-site-demonstration-key-that-protects-nothing"
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "example_site.urls"
WSGI_APPLICATION = "example_site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "example_site.home",
    "example_site.inbox",
    "example_site.loading",
    "wagtail_email_insights",
    "wagtail_modeladmin",
    "django_q",
    "wagtail.contrib.settings",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SITE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wagtail.contrib.settings.context_processors.settings",
            ]
        },
    }
]


def sqlite(name: str) -> dict[str, Any]:
    """A file that several processes write to: they queue up instead of failing as locked."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR_DIR / name,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def main_database() -> dict[str, Any]:
    url = urlsplit(os.environ.get("DATABASE_URL", ""))
    if not url.scheme.startswith("postgres"):
        return sqlite("db.sqlite3")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "",
        "PORT": url.port or "",
    }


# The inbox has a file of its own: catching a mail never waits for the site, nor the site for it.
DATABASES = {"default": main_database(), "inbox": sqlite("inbox.sqlite3")}
DATABASE_ROUTERS = ["example_site.inbox.routers.InboxRouter"]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"

WAGTAIL_SITE_NAME = "Fernhill Garden"
WAGTAILADMIN_BASE_URL = f"http://localhost:{PORT}"
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}

DEFAULT_FROM_EMAIL = "Fernhill Garden <letters@fernhill.example>"
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

Q_CLUSTER = DEFAULT_Q_CLUSTER

WAGTAIL_EMAIL_INSIGHTS = {"spool_directory": str(VAR_DIR / "spool")}

# The demonstration talks to nobody outside this machine.
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
