"""The closed little language that puts a contact's own words into a mail.

``{{ first_name }}`` or ``{{ first_name|default:"there" }}``, nothing else: no template engine
reads what editors write. Rich text stores quotes as ``&quot;`` and spaces as ``&nbsp;``; both are
read like what they stand for.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

NAMES: dict[str, str | Promise] = {
    "first_name": gettext_lazy("first name"),
    "last_name": gettext_lazy("last name"),
    "name": gettext_lazy("full name"),
    "email": gettext_lazy("e-mail address"),
}
"""Every name that may stand in a tag, with what editors call it."""

SAMPLE_VALUES: dict[str, str] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "name": "Ada Lovelace",
    "email": "ada@example.com",
}
"""What previews show."""

OPENING, CLOSING = "{{", "}}"
_MAX_LENGTH = 300
_INSIDE = re.compile(
    r"""\s*+(?P<name>\w++)\s*+(?:\|\s*+default\s*+:\s*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)')\s*+)?""",
)


@dataclass(frozen=True, slots=True)
class MergeTag:
    """A placeholder for one value of the contact, and what stands there if it is empty."""

    name: str
    default: str = ""

    def value(self, contact_values: Mapping[str, object]) -> str:
        """Return the contact's value on one line: it may stand in a header."""
        found = contact_values.get(self.name)
        return " ".join(str(found or "").split()) or self.default


class Span(NamedTuple):
    """Something in double braces: ``text[start:end]``; *tag* is None where it cannot be read."""

    start: int
    end: int
    tag: MergeTag | None


def spans(text: str) -> Iterator[Span]:
    """Yield whatever stands in double braces; an opening pair without an end comes alone."""
    position = 0
    while (opening := text.find(OPENING, position)) >= 0:
        closing = text.find(CLOSING, opening)
        if closing < 0:
            yield Span(opening, len(text), None)
            return
        innermost = text.rfind(OPENING, opening, closing)
        if innermost - opening >= len(OPENING):
            yield Span(opening, innermost, None)
        position = closing + len(CLOSING)
        yield Span(innermost, position, _read(text[innermost + len(OPENING) : closing]))


def parse(text: str) -> list[str | MergeTag]:
    """Split *text* into plain pieces and tags; what cannot be read as a tag stays text."""
    pieces: list[str | MergeTag] = []
    position = 0
    for span in spans(text):
        if span.tag is not None:
            pieces += [text[position : span.start], span.tag]
            position = span.end
    pieces.append(text[position:])
    return [piece for piece in pieces if piece != ""]


def fill(text: str, values: Mapping[str, object], *, escape: bool) -> str:
    """Put *values* in; *escape* them where *text* is HTML, not in subjects and plain text."""
    encode = html.escape if escape else str
    return "".join(
        piece if isinstance(piece, str) else encode(piece.value(values)) for piece in parse(text)
    )


def problems(text: str) -> list[str]:
    """Return a sentence for each tag that names nothing we know or cannot be read."""
    sentences = (_problem(text, span) for span in spans(text))
    return list(dict.fromkeys(sentence for sentence in sentences if sentence))


def _read(inside: str) -> MergeTag | None:
    if len(inside) > _MAX_LENGTH:
        return None
    match = _INSIDE.fullmatch(html.unescape(inside))
    if match is None:
        return None
    return MergeTag(match["name"], match["double"] or match["single"] or "")


def _problem(text: str, span: Span) -> str:
    source = html.unescape(text[span.start : min(span.end, span.start + 60)])
    if span.tag is None:
        return _('“%(tag)s” cannot be read. Write it like {{ first_name|default:"there" }}.') % {
            "tag": source
        }
    if span.tag.name not in NAMES:
        return _("“%(tag)s” is not known. Known are: %(names)s.") % {
            "tag": source,
            "names": ", ".join(NAMES),
        }
    return ""
