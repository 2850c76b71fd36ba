"""Painting clicks on the e-mail as it was sent.

The e-mail is shown in a frame that runs no script and reaches nothing but pictures; its own links
lead to who clicked them instead of away.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..emails import markup, merge_tags
from ..mailings.models import MailingContent
from ..statistics.breakdowns import LinkSlice
from ..templatetags.email_insights_admin import number, percent
from ..tracking.models import TrackedLink

HEAT = ((0.5, "hot"), (0.2, "warm"), (0.05, "mild"), (0.0, "cool"))
"""From which share a link has which colour: of everybody who clicked, or opened an attachment."""

LEGEND: list[tuple[str, str | Promise]] = [
    ("hot", _("Half or more")),
    ("warm", _("A fifth or more")),
    ("mild", _("One in twenty or more")),
    ("cool", _("Fewer")),
    ("none", _("Nobody")),
]
"""What the colours mean, the hottest first."""

_SLOT = re.compile(r"\{\{\s*link_(\d+)\s*\}\}")


@dataclass(frozen=True)
class Badge:
    """What is painted at one link; *url* leads to who clicked it and may be empty."""

    slice: LinkSlice
    url: str = ""

    @property
    def heat(self) -> str:
        """Return how hot the link is, as the end of a class name."""
        share = self.slice.share or 0.0
        if not self.slice.clicked:
            return "none"
        return next(name for floor, name in HEAT if share >= floor)

    @property
    def text(self) -> str:
        readers = ngettext("%(number)s reader", "%(number)s readers", self.slice.clicked)
        clicks = ngettext("%(number)s click", "%(number)s clicks", self.slice.clicks)
        return " · ".join(
            [
                readers % {"number": number(self.slice.clicked)},
                clicks % {"number": number(self.slice.clicks)},
                percent(self.slice.share),
            ]
        )


def badges_of(
    links: Iterable[TrackedLink], slices: Iterable[LinkSlice], url_of: Callable[[LinkSlice], str]
) -> dict[int, Badge]:
    """Return the badge of each link of one content, by its position there."""
    by_link = {pk: Badge(part, url_of(part)) for part in slices for pk in part.link_ids}
    return {link.position: by_link[link.pk] for link in links if link.pk in by_link}


def paint(content: MailingContent, badges: Mapping[int, Badge], stylesheet: str) -> str:
    """Return the content as a document of its own: badges at its links, nobody's name in it.

    Merge tags show what stands there for somebody of whom nothing is known.
    """
    painted = markup.splice(content.html, _edits(content.html, badges))
    document = merge_tags.fill(painted, {}, escape=True)
    sheet = f'<link rel="stylesheet" href="{entities.escape(stylesheet)}">'
    head, end, body = document.partition("</head>")
    return f"{head}{sheet}{end}{body}" if end else sheet + document


def policy(*, stylesheet: str, base_urls: Iterable[str]) -> str:
    """Return the Content-Security-Policy of the painted document: pictures and styles only.

    In a sandbox ``'self'`` may mean nothing, so the origins are named.
    """
    origins = " ".join(sorted({_origin(url) for url in [stylesheet, *base_urls] if _origin(url)}))
    return (
        f"default-src 'none'; img-src 'self' data: {origins}; "
        f"style-src 'unsafe-inline' {_origin(stylesheet)}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation"
    )


def _edits(html: str, badges: Mapping[int, Badge]) -> Iterator[markup.Edit]:
    for tag in markup.start_tags(html):
        attribute = tag.attributes.get("href")
        if attribute is None or tag.name not in ("a", "area"):
            continue
        found = _SLOT.fullmatch(markup.value_of(html, attribute))
        badge = badges.get(int(found[1])) if found else None
        name_end = tag.start + 1 + len(tag.name)
        if badge and badge.url:
            # The first attribute of a name counts: whatever target the e-mail itself names.
            yield markup.Edit(name_end, name_end, ' target="_top"')
        yield markup.replacement(html, attribute, badge.url if badge and badge.url else "#")
        if badge and tag.name == "a":
            yield markup.Edit(tag.end, tag.end, _painted(badge))


def _painted(badge: Badge) -> str:
    return f'<span class="wei-badge wei-badge--{badge.heat}">{entities.escape(badge.text)}</span>'


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""
