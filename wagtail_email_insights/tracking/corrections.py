"""Leading a link elsewhere after the mail was sent: copies already delivered follow it.

The history is kept, so that what somebody clicked last week is shown with the address they were
led to then, not with the one that the link has now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from . import links
from .models import Event, LinkCorrection, TrackedLink
from .rewriting import is_trackable


class NotCorrectable(ValueError):
    """The link cannot be led there; the message says why, for the editor."""


class AttachmentNotCorrectable(NotCorrectable):
    """The link is a followed attachment: the document is replaced on the site instead."""


class BadDestination(NotCorrectable):
    """The new address is none that a click can be led to."""


class SameDestination(NotCorrectable):
    """The link leads there already."""


@transaction.atomic
def correct(link: TrackedLink, url: str, *, user: Any = None) -> LinkCorrection:
    """Lead *link*, and the same destination in the other variants of its mailing, to *url*.

    Raises NotCorrectable, of which there are three kinds. Other processes follow within
    ``link_cache_seconds``.
    """
    same = _same_destination(link)
    _check(link, url := url.strip())
    now = timezone.now()
    corrections = {
        row.pk: LinkCorrection(link=row, at=now, user=user, before=row.url, after=url)
        for row in same
    }
    for correction in corrections.values():
        correction.save()
    TrackedLink.objects.filter(pk__in=corrections).update(url=url)
    link.url = url
    transaction.on_commit(links.forget)
    return corrections[link.pk]


def url_at(link: TrackedLink, at: datetime) -> str:
    """Return the address that *link* led to at that time."""
    return _url_at(link.url, list(link.corrections.order_by("at", "pk")), at)


def urls_at(events: Iterable[Event]) -> dict[int, str]:
    """Return, by event id, the address each led to when it happened; two queries.

    Events without a link are left out.
    """
    led = [(event, event.link_id) for event in events if event.link_id is not None]
    wanted = {link_id for _event, link_id in led}
    urls = dict(TrackedLink.objects.filter(pk__in=wanted).values_list("pk", "url"))
    history = history_of(wanted)
    return {
        event.pk: _url_at(urls[link_id], history[link_id], event.at)
        for event, link_id in led
        if link_id in urls
    }


def _same_destination(link: TrackedLink) -> list[TrackedLink]:
    """Return *link*, as it is now, and its like in the other variants.

    All links of the mailing are locked, so that of two editors the second sees the first's work.
    """
    rows = TrackedLink.objects.select_for_update().filter(mailing=link.mailing_id)
    others = [row for row in rows.order_by("pk") if row.variant != link.variant]
    link.refresh_from_db()
    return [link, *(row for row in others if row.url == link.url and row.document_id is None)]


def _check(link: TrackedLink, url: str) -> None:
    if link.document_id is not None:
        raise AttachmentNotCorrectable(
            _("An attachment leads to its document. Replace the file of the document instead.")
        )
    if not is_trackable(url):
        raise BadDestination(
            _("“%(address)s” is no complete web address, such as https://example.com/page.")
            % {"address": url}
        )
    if url == link.url:
        raise SameDestination(_("The link leads there already."))


def history_of(link_ids: Iterable[int]) -> dict[int, list[LinkCorrection]]:
    """Return the corrections of each link, the oldest first; one query."""
    history: dict[int, list[LinkCorrection]] = defaultdict(list)
    for correction in LinkCorrection.objects.filter(link__in=link_ids).order_by("at", "pk"):
        history[correction.link_id].append(correction)
    return history


def _url_at(url: str, corrections: Sequence[LinkCorrection], at: datetime) -> str:
    """Return what the first correction after *at* took the place of, else the *url* of now."""
    return next((later.before for later in corrections if later.at > at), url)
