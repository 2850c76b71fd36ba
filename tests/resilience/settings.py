"""Settings of the servers that get killed: their services and keys come from the environment."""

from __future__ import annotations

import json
import os
from urllib.parse import urlsplit

from django.core.mail import DNS_NAME

from tests.story.settings import *  # noqa: F403
from tests.story.settings import DATABASES, INSTALLED_APPS, Q_CLUSTER, WAGTAIL_EMAIL_INSIGHTS

if url := os.environ.get("STORY_DATABASE_URL"):
    server = urlsplit(url)
    INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.postgres"]
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": server.path.lstrip("/"),
        "USER": server.username,
        "HOST": server.hostname,
        "PORT": server.port,
        # As long as the servers live: in production connections are kept, and break.
        "CONN_MAX_AGE": json.loads(os.environ.get("STORY_CONN_MAX_AGE", "0")),
    }

if port := os.environ.get("STORY_REDIS_PORT"):
    Q_CLUSTER = {name: value for name, value in Q_CLUSTER.items() if name != "orm"}
    Q_CLUSTER["redis"] = {"host": "127.0.0.1", "port": int(port), "db": 0}

# The newest first.
SECRET_KEY, *SECRET_KEY_FALLBACKS = os.environ.get("STORY_SECRET_KEYS", "only-for-tests").split(",")

if more := os.environ.get("STORY_EMAIL_INSIGHTS"):
    WAGTAIL_EMAIL_INSIGHTS |= json.loads(more)

# What this host calls itself when it talks to the mail server.
DNS_NAME._fqdn = os.environ.get("STORY_HOST", "localhost")
