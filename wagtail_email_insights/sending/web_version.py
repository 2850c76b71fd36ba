"""An e-mail as it was sent, for a browser: what "View in your browser" leads to.

The address may be handed on, so the page knows nobody: merge tags show what they show for an
unknown reader, and the unsubscribe link does not unsubscribe the one who got the mail. Links carry
the number of that copy, as they do in a mail that is handed on. The link that led here is left out:
it would lead nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.urls import reverse

from .. import tokens
from ..emails import markup
from ..emails.merge_tags import MergeTag, parse
from ..mailings.models import MailingContent
from ..tokens import Kind, Token
from ..tracking.models import TrackedLink
from .slots import (
    MARKUP_TAGS,
    WEB_VERSION_TAG,
    anonymous_slots,
    filled,
    identified_slots,
    texts,
)

_LINK_END = re.compile(r"</a\s*+>", re.IGNORECASE | re.ASCII)
_PARAGRAPH_END = re.compile(r"\s*+</p\s*+>", re.IGNORECASE | re.ASCII)


class NoSuchVersion(LookupError):
    """The mailing was erased since."""


def content_of(token: Token) -> MailingContent:
    """Return what the mailing of a WEB_VERSION token sent; raises NoSuchVersion."""
    mailing_id, _key, variant = token.values
    content = MailingContent.objects.filter(mailing=mailing_id, variant=variant).first()
    if content is None:
        raise NoSuchVersion(mailing_id)
    return content


def is_counted(content: MailingContent, token: Token) -> bool:
    """Tell whether the copy that the token stands for is counted at all."""
    return token.kind == Kind.WEB_VERSION or content.anonymous_counting != "off"


def document(content: MailingContent, token: Token) -> str:
    """Return the page: no pixel, no trap, links tracked as in the copy of *token*."""
    links = TrackedLink.objects.filter(mailing=content.mailing_id, variant=content.variant)
    make_slots = identified_slots if token.kind == Kind.WEB_VERSION else anonymous_slots
    values = texts(make_slots(content, links), tokens.values(token.values[1]))
    values |= dict.fromkeys(MARKUP_TAGS, "") | {
        "unsubscribe_url": reverse("wagtail_email_insights:web_version_unsubscribe"),
        WEB_VERSION_TAG: "#",
    }
    return filled(without_link_to_itself(content.html), values, escape=True)


def without_link_to_itself(html: str) -> str:
    """Return the HTML of a mail without links to its web version, and their paragraph if bare."""
    return markup.splice(html, _links_to_itself(html))


def _links_to_itself(html: str) -> Iterator[markup.Edit]:
    before: markup.StartTag | None = None
    for tag in markup.start_tags(html):
        if tag.name == "a" and _leads_to_web_version(html, tag):
            yield from _cut(html, tag, before)
        before = tag


def _cut(html: str, tag: markup.StartTag, before: markup.StartTag | None) -> Iterator[markup.Edit]:
    end = _LINK_END.search(html, tag.end)
    if end is None:
        return
    paragraph_end = _PARAGRAPH_END.match(html, end.end())
    is_bare = before and before.name == "p" and not html[before.end : tag.start].strip()
    if before and is_bare and paragraph_end:
        yield markup.Edit(before.start, paragraph_end.end(), "")
    else:
        yield markup.Edit(tag.start, end.end(), "")


def _leads_to_web_version(html: str, tag: markup.StartTag) -> bool:
    href = tag.attributes.get("href")
    pieces = parse(markup.value_of(html, href)) if href else []
    return any(isinstance(piece, MergeTag) and piece.name == WEB_VERSION_TAG for piece in pieces)
