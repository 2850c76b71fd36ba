"""Making and sending one issue of a recurring digest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..emails.models import Email
from ..emails.queries import newest_pages
from ..mailings.models import Mailing
from ..sending import actions
from .models import Digest
from .rhythm import catch_up

logger = logging.getLogger(__name__)

PLACEHOLDER = "newest_pages"
TEASER = "page_teaser"


@transaction.atomic
def run(digest: Digest, now: datetime | None = None) -> Mailing | None:
    """Send what is new as a mailing of its own and return it; None if nothing was sent.

    Once only, even if several workers have read the same digest: whoever comes second gets None.
    ``last_result`` says what happened, the next time moves on in any case, ``pages_since`` only
    when a mailing was started. Runs before its time when called before its time.
    """
    now = now or timezone.now()
    if not _take(digest, now):
        return None
    mailing, result = _issue(digest, now)
    digest.last_result = result[:250]
    digest.save(update_fields=["last_result", "pages_since"])
    return mailing


def has_placeholder(email: Email) -> bool:
    """Tell whether *email* has a place that a digest can fill."""
    body = email.get_latest_revision_as_object().body
    return any(child.block_type == PLACEHOLDER for child in body)


def _take(digest: Digest, now: datetime) -> bool:
    """Move the times on; False if somebody else has done so since *digest* was read."""
    last, following = catch_up(
        digest.rhythm, digest.next_run_at, previous=digest.last_run_at, now=now
    )
    if following == digest.next_run_at:
        # Before its time, because somebody wants it now.
        last = now
    unchanged = Digest.objects.filter(
        pk=digest.pk, next_run_at=digest.next_run_at, last_run_at=digest.last_run_at
    )
    taken = unchanged.update(next_run_at=following, last_run_at=last)
    digest.refresh_from_db()
    return bool(taken)


def _issue(digest: Digest, now: datetime) -> tuple[Mailing | None, str]:
    """Return the mailing that was started, if any, and a sentence about it."""
    if not has_placeholder(digest.template):
        return None, _("Nothing sent: the template has no “Newest pages” block.")
    pages = newest_pages(
        site=digest.site,
        below=digest.below_page,
        since=digest.pages_since,
        until=now,
        limit=digest.max_pages,
    )
    if not pages:
        return None, _("Nothing sent: no new pages.")
    try:
        mailing = _send(digest, pages, now)
    except actions.NotReady as error:
        logger.warning("Digest %s cannot be sent: %s", digest.pk, error)
        return None, _("Nothing sent: %s") % error
    digest.pages_since = pages[0].first_published_at
    sent = ngettext("Sent with %d new page.", "Sent with %d new pages.", len(pages))
    return mailing, sent % len(pages)


@transaction.atomic
def _send(digest: Digest, pages: Sequence[Any], now: datetime) -> Mailing:
    """Start the mailing of a filled copy; raises NotReady, and then nothing is left behind."""
    mailing = Mailing.objects.create(email=_filled_copy(digest, pages, now), site=digest.site)
    mailing.recipient_lists.set(digest.recipient_lists.all())
    mailing.segments.set(digest.segments.all())
    actions.start(mailing)
    return mailing


def _filled_copy(digest: Digest, pages: Sequence[Any], now: datetime) -> Email:
    template = digest.template.get_latest_revision_as_object()
    date = date_format(timezone.localtime(now, timezone.get_default_timezone()), "DATE_FORMAT")
    copy = Email(title=f"{digest.name} – {date}", subject=template.subject)
    copy.preheader = template.preheader
    stream = template.body.stream_block
    copy.body = stream.to_python(_filled(template.body.get_prep_value(), pages))
    copy.save()
    copy.save_revision(clean=False)
    return copy


def _filled(blocks: Sequence[dict[str, Any]], pages: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the stored form of a body with teasers where the placeholder was."""
    filled: list[dict[str, Any]] = []
    for block in blocks:
        if block["type"] == PLACEHOLDER:
            number = block["value"].get("number") or len(pages)
            filled += [{"type": TEASER, "value": {"page": page.pk}} for page in pages[:number]]
        else:
            filled.append(block)
    return filled
