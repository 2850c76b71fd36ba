"""Words out of somebody else's HTML, in time linear in its length."""

from __future__ import annotations

import html
import re

INVISIBLE = frozenset({"head", "style", "script", "title", "template"})
BREAKING = frozenset(
    {"address", "blockquote", "br", "div", "dd", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"hr", "li", "ol", "p", "pre", "table", "tr", "ul"}
)
MAX_LENGTH = 500_000

_TAG = re.compile(r"<(?:(/?)([a-zA-Z][a-zA-Z0-9]{0,20})|!)[^<>]*>")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")


def words_of(markup: str) -> str:
    """Return what *markup* says, with ``> `` before what it quotes.

    Meant for mails of unknown origin: nothing is interpreted, broken tags are left as text.
    """
    reader = _Reader()
    end = 0
    markup = markup[:MAX_LENGTH]
    for tag in _TAG.finditer(markup):
        reader.words(markup[end : tag.start()])
        reader.tag((tag[2] or "").lower(), closes=bool(tag[1]))
        end = tag.end()
    reader.words(markup[end:])
    return reader.text()


class _Reader:
    def __init__(self) -> None:
        self._lines: list[list[str]] = [[]]
        self._hidden_by = ""
        self._quotes = 0

    def words(self, text: str) -> None:
        if not self._hidden_by and text:
            self._lines[-1].append(html.unescape(text).replace("\n", " "))

    def tag(self, name: str, *, closes: bool) -> None:
        if self._hidden_by:
            self._hidden_by = "" if closes and name == self._hidden_by else self._hidden_by
            return
        if name in INVISIBLE and not closes:
            self._hidden_by = name
        if name == "blockquote":
            self._quotes = max(0, self._quotes - 1) if closes else self._quotes + 1
        if name in BREAKING:
            self._lines.append(["> "] if self._quotes else [])

    def text(self) -> str:
        lines = (_SPACES.sub(" ", "".join(pieces)).strip() for pieces in self._lines)
        return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
