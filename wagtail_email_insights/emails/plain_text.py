"""The text part of a mail, made from its HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

INVISIBLE = frozenset({"head", "style", "script", "title", "template", "noembed", "noframes"})
VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
INLINE = frozenset(
    {"a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "img", "ins", "kbd", "mark"}
    | {"q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "wbr", "br"}
    # The cells of a row share a line, unless they hold paragraphs of their own.
    | {"td", "th"}
)
UNDERLINES = {"h1": "=", "h2": "-", "h3": "-"}
RULE = "-" * 40

_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def plain_text(html: str) -> str:
    """Return what a reader of *html* sees, as readable text.

    Links stand as ``text (address)``, images as their alternative text, list items behind a dash
    or their number, headings underlined. Conditional comments and what is
    hidden, if only from screen readers, are left out.
    """
    converter = _Converter()
    converter.feed(html)
    converter.close()
    return converter.text()


def _is_hidden(tag: str, attributes: dict[str, str]) -> bool:
    return (
        tag in INVISIBLE
        or attributes.get("aria-hidden") == "true"
        or _HIDDEN.search(attributes.get("style", "")) is not None
    )


class _Converter(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._paragraphs: list[str] = []
        self._inline: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._counters: list[int | None] = []
        self._marker = ""
        self._hidden_depth = 0

    def text(self) -> str:
        self._flush()
        return "\n".join(self._paragraphs).strip() + "\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if self._hidden_depth or _is_hidden(tag, attributes):
            self._hidden_depth += tag not in VOID
            return
        if tag not in INLINE:
            self._flush()
        if handler := getattr(self, f"_start_{tag}", None):
            handler(attributes)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden_depth:
            self._hidden_depth -= tag not in VOID
            return
        if handler := getattr(self, f"_end_{tag}", None):
            handler()
        if tag not in INLINE:
            self._flush(underline=UNDERLINES.get(tag, ""))

    def handle_data(self, data: str) -> None:
        if not self._hidden_depth:
            self._inline.append(re.sub(r"\s+", " ", data))

    def _start_br(self, attributes: dict[str, str]) -> None:
        self._inline.append("\n")

    def _start_td(self, attributes: dict[str, str]) -> None:
        self._inline.append(" ")

    _start_th = _start_td

    def _start_hr(self, attributes: dict[str, str]) -> None:
        self._add(RULE)

    def _start_img(self, attributes: dict[str, str]) -> None:
        if alternative := " ".join(attributes.get("alt", "").split()):
            self._inline.append(f"[{alternative}]")

    def _start_a(self, attributes: dict[str, str]) -> None:
        self._links.append((attributes.get("href", "").strip(), len(self._inline)))

    def _end_a(self) -> None:
        if not self._links:
            return
        address, start = self._links.pop()
        words = "".join(self._inline[start:]).strip()
        if address.removeprefix("mailto:") == words or not address or address.startswith("#"):
            return
        self._inline.append(f" ({address})" if words else address)

    def _start_ul(self, attributes: dict[str, str]) -> None:
        self._start_list(None)

    def _start_ol(self, attributes: dict[str, str]) -> None:
        start = attributes.get("start", "")
        self._start_list(int(start) if re.fullmatch(r"[0-9]{1,6}", start) else 1)

    def _start_list(self, counter: int | None) -> None:
        if not self._counters:
            self._space()
        self._counters.append(counter)

    def _end_ul(self) -> None:
        self._flush()
        self._counters = self._counters[:-1]
        if not self._counters:
            self._marker = ""

    _end_ol = _end_ul

    def _start_li(self, attributes: dict[str, str]) -> None:
        counter = self._counters[-1] if self._counters else None
        indent = "  " * (len(self._counters) - 1)
        self._marker = f"{indent}- " if counter is None else f"{indent}{counter}. "
        if counter is not None:
            self._counters[-1] = counter + 1

    def _flush(self, underline: str = "") -> None:
        """End the paragraph that is being collected, if there is one."""
        lines = "".join(self._inline).split("\n")
        words = "\n".join(" ".join(line.split()) for line in lines).strip()
        self._inline.clear()
        self._links = [(address, 0) for address, _start in self._links]
        if words:
            self._add(words, underline)

    def _add(self, words: str, underline: str = "") -> None:
        if not self._counters:
            self._space()
        indent = " " * len(self._marker)
        self._paragraphs.append(self._marker + words.replace("\n", f"\n{indent}"))
        self._marker = indent if self._counters else ""
        if underline:
            self._paragraphs.append(underline * min(len(words), len(RULE)))

    def _space(self) -> None:
        if self._paragraphs and self._paragraphs[-1]:
            self._paragraphs.append("")
