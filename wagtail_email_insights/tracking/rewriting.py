"""Sending the links of a finished mail through our own addresses.

Tracked are absolute ``http:`` and ``https:`` destinations in ``href`` of links, image map areas
and Outlook's VML shapes, also inside conditional comments. Left alone are all other schemes,
``#fragments``, relative and protocol-relative addresses (a mail has no base to read them against;
rendering has made its own absolute before), addresses holding a merge tag, which differ from
reader to reader, addresses that no server can redirect to, and links that an editor marked
``data-do-not-track``. The inside of
``<template>`` counts as content: mail clients drop the tag and show what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from django.core.exceptions import DisallowedRedirect

from ..emails import markup
from .responses import TrackedRedirect

VML_SHAPES = ("shape", "rect", "roundrect", "oval", "line", "polyline", "curve", "arc", "image")
LINKING_ELEMENTS = frozenset({"a", "area", "v:group", *(f"v:{shape}" for shape in VML_SHAPES)})
OPT_OUT_ATTRIBUTE = "data-do-not-track"
ATTACHMENT_ATTRIBUTE = "data-attachment"
DAYS_ATTRIBUTE = "data-attachment-days"

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_TRACKABLE = re.compile(r"https?://(?!\s*$)", re.IGNORECASE | re.ASCII)


class Target(NamedTuple):
    """Where a link leads; of a followed attachment also which document, and for how many days."""

    url: str
    document_id: int | None = None
    days: int | None = None


def rewrite_links(html: str, replace: Callable[[str, int], str]) -> str:
    """Return *html* with every trackable destination passed through ``replace(url, index)``.

    ``url`` is the destination as the reader's client sees it, entities resolved; ``index`` counts
    up from 0 in the order of the text, a repeated destination getting a new number. The answer is
    escaped for the quotes in use; where it is the same url, and everywhere else, no byte changes.
    """
    return rewrite_targets(html, lambda target, index: replace(target.url, index))


def rewrite_targets(html: str, replace: Callable[[Target, int], str]) -> str:
    """Do the same with ``replace(target, index)``, which also hears of followed attachments."""
    return markup.splice(html, _edits(html, replace))


def is_trackable(url: str) -> bool:
    """Tell whether a click on *url* can be led through our own address."""
    return _TRACKABLE.match(url) is not None and "{{" not in url and is_redirectable(url)


def is_redirectable(url: str) -> bool:
    """Tell whether Django redirects to *url*: it refuses broken hosts and very long addresses."""
    try:
        TrackedRedirect(url)
    except (DisallowedRedirect, ValueError):
        return False
    return True


def _edits(html: str, replace: Callable[[Target, int], str]) -> Iterator[markup.Edit]:
    for index, (attribute, target) in enumerate(_destinations(html)):
        replaced = replace(target, index)
        if replaced != target.url:
            yield markup.replacement(html, attribute, replaced)


def _destinations(html: str) -> Iterator[tuple[markup.Attribute, Target]]:
    for tag in markup.start_tags(html):
        attribute = tag.attributes.get("href")
        if attribute is None or tag.name not in LINKING_ELEMENTS:
            continue
        url = markup.value_of(html, attribute)
        if OPT_OUT_ATTRIBUTE not in tag.attributes and is_trackable(url):
            yield attribute, _target(html, tag, url)


def _target(html: str, tag: markup.StartTag, url: str) -> Target:
    document_id = _number(html, tag, ATTACHMENT_ATTRIBUTE)
    if document_id is None:
        return Target(url)
    return Target(url, document_id, _number(html, tag, DAYS_ATTRIBUTE))


def _number(html: str, tag: markup.StartTag, name: str) -> int | None:
    attribute = tag.attributes.get(name)
    text = markup.value_of(html, attribute) if attribute else ""
    return int(text) if _NUMBER.fullmatch(text) else None
