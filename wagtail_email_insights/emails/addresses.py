"""Which addresses may stand in a mail: those that lead nowhere but to the web, a mail or a phone.

What looks harmless when it is written can become ``javascript:`` once a merge tag is filled in, so
a tag may stand in an address only where its scheme is settled already.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from . import markup, merge_tags

ADDRESS_ATTRIBUTES = ("href", "src", "background")
SAFE_SCHEMES = frozenset({"http", "https", "mailto", "tel", "cid"})

# As long as the tag it stands for, so that every position stays what it was.
_FILLER = "\ue000"
# Browsers drop these wherever they stand in an address (URL Standard, section 4.4).
_DROPPED = re.compile(r"[\x00-\x20]+")
_BEGINNING = re.compile(r"([^:/?#\\]*+)([:/?#\\])")


def is_safe(address: str) -> bool:
    """Tell whether *address* is relative or has one of the safe schemes, as a browser reads it."""
    beginning = _BEGINNING.match(_DROPPED.sub("", address))
    return beginning is None or beginning[2] != ":" or beginning[1].lower() in SAFE_SCHEMES


def addresses_in(html: str) -> Iterator[markup.Attribute]:
    """Yield every attribute of *html* that holds an address, in the order of the text."""
    for tag in markup.start_tags(html):
        yield from sorted(filter(None, map(tag.attributes.get, ADDRESS_ATTRIBUTES)))


def without_unsafe(html: str) -> str:
    """Return the finished *html* with unsafe addresses emptied."""
    return markup.splice(
        html,
        [
            markup.replacement(html, attribute, "")
            for attribute in addresses_in(html)
            if not is_safe(markup.value_of(html, attribute))
        ],
    )


def without_unsettled(html: str, *, keep: Collection[str] = ()) -> str:
    """Return *html* with addresses emptied whose tags decide on the scheme, but those to *keep*."""
    return markup.splice(
        html,
        [
            markup.Edit(attribute.start, attribute.end, "" if attribute.quote else '""')
            for attribute in _unsettled(html)
            if markup.value_of(html, attribute) not in keep
        ],
    )


def unsettled(html: str) -> list[str]:
    """Return the addresses in *html* whose merge tags decide on the scheme."""
    return [markup.value_of(html, attribute) for attribute in _unsettled(html)]


def _unsettled(html: str) -> Iterator[markup.Attribute]:
    """Read the markup as it will be once the tags, quotes in them and all, are filled in."""
    masked = markup.splice(html, _masks(html))
    for attribute in addresses_in(masked):
        before, filler, _after = masked[attribute.start : attribute.end].partition(_FILLER)
        if filler and not _is_settled(masked, attribute, len(before)):
            yield attribute


def _masks(html: str) -> Iterator[markup.Edit]:
    for span in merge_tags.spans(html):
        if span.tag is not None:
            yield markup.Edit(span.start, span.end, _FILLER * (span.end - span.start))


def _is_settled(html: str, attribute: markup.Attribute, length: int) -> bool:
    beginning = attribute._replace(end=attribute.start + length)
    written = _DROPPED.sub("", markup.value_of(html, beginning))
    return _BEGINNING.match(written) is not None and is_safe(written)
