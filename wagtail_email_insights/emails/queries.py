"""What of the site can go into an e-mail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from wagtail.models import Site


def newest_pages(
    *,
    site: Site | None,
    limit: int,
    since: datetime | None = None,
    until: datetime | None = None,
    below: int | None = None,
) -> list[Any]:
    """Return the newest live pages that everybody may see, newest first.

    Those below the page with the id *below*, else those of *site*; first published after *since*
    and up to *until*. Pages behind a password or a log-in are never among them.
    """
    # The model of pages can be swapped; a site's root page is one of them.
    pages = Site._meta.get_field("root_page").related_model._default_manager
    top = pages.filter(pk=below).first() if below else getattr(site, "root_page", None)
    if top is None:
        return []
    found = pages.descendant_of(top).live().public().filter(first_published_at__isnull=False)
    if since:
        found = found.filter(first_published_at__gt=since)
    if until:
        found = found.filter(first_published_at__lte=until)
    return list(found.order_by("-first_published_at", "-pk")[:limit])
