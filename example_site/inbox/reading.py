"""What a mail program makes of a raw mail: its HTML, its text, its headers."""

from __future__ import annotations

import re
from email.message import EmailMessage

from django.utils.html import urlize

# Links open beside the inbox; only the copy on the screen gets this, never the stored mail.
NEW_TAB = '<base target="_blank">'
HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


def page_of(message: EmailMessage) -> str:
    """What the frame shows: the HTML part, or the text where a mail has nothing else."""
    html = content_of(message, "html")
    return with_links_in_new_tabs(html or f"<pre>{urlize(text_of(message), autoescape=True)}</pre>")


def with_links_in_new_tabs(html: str) -> str:
    head = HEAD.search(html)
    position = head.end() if head else 0
    return html[:position] + NEW_TAB + html[position:]


def text_of(message: EmailMessage) -> str:
    return content_of(message, "plain")


def headers_of(message: EmailMessage) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in message.items()]


def content_of(message: EmailMessage, subtype: str) -> str:
    """The first part of that kind as text, whatever its character set says."""
    part = message.get_body(preferencelist=(subtype,))
    if part is None:
        return ""
    try:
        return part.get_content()
    except LookupError:
        return part.get_payload(decode=True).decode("utf-8", "replace")
