"""Several mailings side by side: the same figures of each, and of all of them together."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ..mailings.models import Mailing
from ..statistics.comparison import compare
from .overview import TITLE, OverviewScreen, overview_url
from .overview_table import statistics_url
from .statistics_selection import SCOPES_IN_WORDS

MOST = 6
"""Columns that can still be compared by eye."""


class ComparePage(OverviewScreen):
    """``?mailing=7&mailing=9``: what can be put into an address can be passed on."""

    page_title = _("Compare mailings")
    template_name = "wagtail_email_insights/admin/overview/compare.html"

    @cached_property
    def mailings(self) -> list[Mailing]:
        """The chosen ones, oldest first; those that never started are left out."""
        chosen = Mailing.objects.started().filter(pk__in=numbers_in(self.request.GET, "mailing"))
        return list(reversed(chosen.select_related("email")))[:MOST]

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        *above, here = super().get_breadcrumbs_items()
        return [*above, {"url": overview_url(), "label": TITLE}, here]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        groups = [[mailing] for mailing in self.mailings]
        enough = len(groups) > 1
        return super().get_context_data(
            columns=[(mailing, statistics_url(mailing, self.scope)) for mailing in self.mailings],
            rows=compare([*groups, self.mailings], self.scope) if enough else [],
            most=MOST,
            scope_in_words=SCOPES_IN_WORDS[self.scope],
            **kwargs,
        )


def numbers_in(query: QueryDict, name: str) -> list[int]:
    """Return the whole numbers given as *name*; anything else is ignored."""
    texts = query.getlist(name)
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]
