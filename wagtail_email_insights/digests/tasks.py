"""What the queue calls."""

from __future__ import annotations

import logging
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from ..mailings.models import Mailing
from .actions import run
from .models import Digest

logger = logging.getLogger(__name__)


def run_due_digests(now: datetime | None = None) -> list[Mailing]:
    """Run every active digest whose time has come; returns the mailings that were started.

    One that fails unexpectedly says so and is tried again next time; the others are run.
    """
    now = now or timezone.now()
    due = Digest.objects.filter(is_active=True, next_run_at__lte=now)
    mailings = [_run(digest, now) for digest in due.select_related("template", "site")]
    return [mailing for mailing in mailings if mailing]


def _run(digest: Digest, now: datetime) -> Mailing | None:
    try:
        return run(digest, now)
    except Exception:
        logger.exception("Digest %s failed and is tried again", digest.pk)
        failed = _("It failed and is tried again; the log of the server says why.")
        Digest.objects.filter(pk=digest.pk).update(last_result=failed)
        return None
