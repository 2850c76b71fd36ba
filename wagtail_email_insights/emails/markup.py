"""Finding and replacing attribute values in HTML without touching any other byte.

A scanner after the tokenization states of the HTML standard (§13.2.5). It goes through the text
once, never back, so its time is proportional to the length whatever the text; and it builds
nothing, so what nobody asked to change stays as it was. Two things differ from a browser, because
mail is also read by Outlook: the inside of ``<!--[if …]> … <![endif]-->`` is scanned as markup,
and scripts are taken to end at the first ``</script``.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterable, Iterator
from html.entities import html5 as named_references
from typing import NamedTuple

WHITESPACE = " \t\n\f\r"
RAW_TEXT_ELEMENTS = frozenset(
    {"style", "script", "textarea", "title", "xmp", "iframe", "noembed", "noframes"}
)

# Each of these matches a run of one character class, possessively: no backtracking.
_BETWEEN = re.compile(r"[ \t\n\f\r/]*+")
_TAG_NAME = re.compile(r"[^ \t\n\f\r/>]*+")
_NAME = re.compile(r"=?+[^ \t\n\f\r/>=]*+")
_EQUALS = re.compile(r"[ \t\n\f\r]*+=[ \t\n\f\r]*+")
_UNQUOTED = re.compile(r"[^ \t\n\f\r>]*+")
_COMMENT_END = re.compile(r"--!?>")
_CONDITION = re.compile(r"<!--\[if[^\]<>]*+\]>", re.IGNORECASE | re.ASCII)
_RAW_TEXT_END = {
    name: re.compile(rf"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE | re.ASCII)
    for name in RAW_TEXT_ELEMENTS
}
_REFERENCE = re.compile(r"&(?:#[0-9]++;?+|#[xX][0-9a-fA-F]++;?+|[A-Za-z][A-Za-z0-9]*+(?:;|(?!=)))")
_LONGEST_NUMBER = 20
_NEEDS_QUOTES = re.compile(r"""[ \t\n\f\r"'=<>`]""")


class Attribute(NamedTuple):
    """Where a value stands in the text: ``text[start:end]``, without its quotes."""

    start: int
    end: int
    quote: str


class StartTag(NamedTuple):
    """``text[start:end]`` is the tag; up to ``raw_end`` no markup follows (style, script …).

    Names are in lower case; of an attribute given twice the first counts, as in browsers.
    """

    name: str
    attributes: dict[str, Attribute]
    start: int
    end: int
    raw_end: int


class Edit(NamedTuple):
    start: int
    end: int
    text: str


def start_tags(html: str) -> Iterator[StartTag]:
    """Yield every complete start tag, also those inside Outlook's conditional comments."""
    return _Scanner(html).tags()


def value_of(html: str, attribute: Attribute) -> str:
    """Return the value as a browser reads it: references resolved, surrounding space gone."""
    raw = html[attribute.start : attribute.end]
    return _REFERENCE.sub(_resolve, raw).replace("\0", "\ufffd").strip(WHITESPACE)


def replacement(html: str, attribute: Attribute, value: str) -> Edit:
    """Return the edit that puts *value* in, escaped for the quotes in use, space around kept."""
    start, end = _without_space(html, attribute)
    escaped = entities.escape(value, quote=False)
    if attribute.quote == "'":
        return Edit(start, end, escaped.replace("'", "&#x27;"))
    escaped = escaped.replace('"', "&quot;")
    if not attribute.quote and (not value or _NEEDS_QUOTES.search(value)):
        escaped = f'"{escaped}"'
    return Edit(start, end, escaped)


def splice(html: str, edits: Iterable[Edit]) -> str:
    """Apply *edits*, which come in the order of the text and do not overlap."""
    pieces, position = [], 0
    for edit in edits:
        pieces += [html[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, html[position:]])


def _resolve(match: re.Match[str]) -> str:
    reference = match[0]
    if reference[1] != "#":
        # In attributes "&copy=1" is no ©: a name must match whole, and none is cut short.
        return named_references.get(reference[1:], reference)
    return entities.unescape(reference) if len(reference) <= _LONGEST_NUMBER else "\ufffd"


def _without_space(html: str, attribute: Attribute) -> tuple[int, int]:
    raw = html[attribute.start : attribute.end]
    start = attribute.start + len(raw) - len(raw.lstrip(WHITESPACE))
    return start, start + len(raw.strip(WHITESPACE))


def _lower(name: str) -> str:
    # Names compare in ASCII only: "K" (Kelvin) must not become "k".
    return name.lower() if name.isascii() else name


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


class _Scanner:
    """A position in the text, and the end of the stretch that is being read.

    The stretch is the whole text, or the inside of a conditional comment: nothing that starts in
    there, not even a quoted value, reaches beyond it.
    """

    def __init__(self, html: str) -> None:
        self.html = html
        self.position = 0
        self.end = len(html)
        self.in_condition = False

    def tags(self) -> Iterator[StartTag]:
        while (start := self._next_markup()) is not None:
            follower = self.html[start + 1 : min(start + 2, self.end)]
            if _is_letter(follower):
                yield from self._start_tag(start)
            elif follower == "/":
                self._end_tag(start)
            elif follower == "!" and self.html.startswith("<!--", start, self.end):
                self._comment(start)
            elif follower in ("!", "?"):
                self._skip_past(">", start)
            else:
                self.position = start + 1

    def _next_markup(self) -> int | None:
        start = self.html.find("<", self.position, self.end)
        if start < 0 and self.in_condition:
            self.position, self.end, self.in_condition = self.end, len(self.html), False
            start = self.html.find("<", self.position)
        return start if start >= 0 else None

    def _start_tag(self, start: int) -> Iterator[StartTag]:
        name = self._tag_name(start + 1)
        attributes = self._attributes()
        if attributes is None:
            self.position = self.end
            return
        after = self.position
        if name == "plaintext":
            self.position = self.end
        elif name in RAW_TEXT_ELEMENTS:
            close = _RAW_TEXT_END[name].search(self.html, after, self.end)
            self.position = close.start() if close else self.end
        yield StartTag(name, attributes, start, after, self.position)

    def _end_tag(self, start: int) -> None:
        if not _is_letter(self.html[start + 2 : min(start + 3, self.end)]):
            self._skip_past(">", start)
            return
        self._tag_name(start + 2)
        if self._attributes() is None:
            self.position = self.end

    def _tag_name(self, start: int) -> str:
        self.position = start
        return _lower(self._run(_TAG_NAME))

    def _attributes(self) -> dict[str, Attribute] | None:
        """Read up to and over ``>``; None where the text ends before."""
        attributes: dict[str, Attribute] = {}
        while True:
            self._run(_BETWEEN)
            if self.position >= self.end:
                return None
            if self.html[self.position] == ">":
                self.position += 1
                return attributes
            name = _lower(self._run(_NAME))
            value = self._value()
            if value is None:
                return None
            attributes.setdefault(name, value)

    def _value(self) -> Attribute | None:
        """Read ``= value`` if it follows; None where its closing quote is missing."""
        equals = _EQUALS.match(self.html, self.position, self.end)
        if equals is None:
            return Attribute(self.position, self.position, "")
        self.position = start = equals.end()
        quote = self.html[start : min(start + 1, self.end)]
        if quote not in ('"', "'"):
            self._run(_UNQUOTED)
            return Attribute(start, self.position, "")
        close = self.html.find(quote, start + 1, self.end)
        if close < 0:
            return None
        self.position = close + 1
        return Attribute(start + 1, close, quote)

    def _run(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.html, self.position, self.end)
        assert match is not None  # noqa: S101 - every pattern given also matches nothing
        self.position = match.end()
        return match[0]

    def _comment(self, start: int) -> None:
        condition = _CONDITION.match(self.html, start, self.end)
        if condition is None:
            self._skip_comment(start)
            return
        self.position = condition.end()
        if not self.in_condition:
            close = _COMMENT_END.search(self.html, self.position)
            self.end = close.start() if close else self.end
            self.in_condition = True

    def _skip_comment(self, start: int) -> None:
        inside = start + len("<!--")
        if self.html.startswith((">", "->"), inside, self.end):
            self._skip_past(">", inside)
            return
        close = _COMMENT_END.search(self.html, inside, self.end)
        self.position = close.end() if close else self.end

    def _skip_past(self, character: str, start: int) -> None:
        found = self.html.find(character, start, self.end)
        self.position = found + 1 if found >= 0 else self.end
