"""From an e-mail's content to the finished document, the same for every reader.

Merge tags stay in: they are filled in per copy. Links are absolute but still the editor's own;
tracking and the pixel are added by whoever sends.
"""

from __future__ import annotations

import html as entities
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

import css_inline
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from wagtail.models import Site

from ..site_settings import queries
from . import addresses, markup, merge_tags
from .models import Email
from .plain_text import plain_text

TEMPLATE = "wagtail_email_insights/emails/email.html"
PREVIEW_POLICY = (
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; "
    "script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'"
)
"""Nothing in a preview runs, whatever an e-mail holds; Wagtail's panel may still look inside."""

_REVEALED_CONDITION = re.compile(r"<!--(\[(?:if[^\]<>]*+|endif)\])-->", re.IGNORECASE)


@dataclass(frozen=True)
class RenderedEmail:
    """Subject, document and text part, all three with their merge tags."""

    subject: str
    html: str
    text: str


def render_email(
    email: Email, *, site: Site | None, unsubscribe_url: str, web_version_url: str = "#"
) -> RenderedEmail:
    """Return *email* as it goes out for *site*; the two addresses may be any markers."""
    markers = {"unsubscribe_url": unsubscribe_url, "web_version_url": web_version_url}
    document: str = render_to_string(TEMPLATE, _context(email, site) | markers)
    document = addresses.without_unsettled(document, keep=markers.values())
    document = make_absolute(document, queries.base_url(site), keep=markers.values())
    shield = _Shield()
    inlined = _inline_css(shield.protect(document))
    return RenderedEmail(
        subject=email.subject,
        html=shield.restore(inlined),
        text=shield.restore(plain_text(inlined), entities.unescape),
    )


def preview_response(email: Email, request: HttpRequest) -> HttpResponse:
    """Return the mail as the preview panel shows it: sample values, nothing tracked."""
    site = Site.find_for_request(request)
    rendered = render_email(email, site=site, unsubscribe_url="#")
    filled = merge_tags.fill(rendered.html, merge_tags.SAMPLE_VALUES, escape=True)
    policy = {"Content-Security-Policy": PREVIEW_POLICY}
    return HttpResponse(addresses.without_unsafe(filled), headers=policy)


def make_absolute(html: str, base_url: str, *, keep: Collection[str] = ()) -> str:
    """Return *html* with relative addresses read against *base_url*, all but those to *keep*."""
    return markup.splice(html, _absolute_edits(html, base_url, keep))


def _absolute_edits(html: str, base_url: str, keep: Collection[str]) -> Iterator[markup.Edit]:
    for attribute in addresses.addresses_in(html):
        address = markup.value_of(html, attribute)
        absolute = _absolute(address, base_url)
        if address != absolute and address not in keep:
            yield markup.replacement(html, attribute, absolute)


def _context(email: Email, site: Site | None) -> dict[str, object]:
    settings = queries.settings_of(site)
    return {
        "email": email,
        "site": site,
        "home_url": queries.base_url(site),
        "sender_name": settings.from_name or (site.site_name if site else ""),
        "postal_address": settings.postal_address,
    }


def _absolute(address: str, base_url: str) -> str:
    if not address or address.startswith("#") or merge_tags.OPENING in address:
        return address
    try:
        return urljoin(f"{base_url}/", address)
    except ValueError:
        # An address that cannot be read, such as "//[": left as the editor wrote it.
        return address


def _inline_css(html: str) -> str:
    """Put the style sheet into the elements; styles marked ``data-css-inline="keep"`` stay.

    The inliner writes ``<![if !mso]>`` as a comment, which hides nothing from Outlook: it is
    turned back.
    """
    inlined = css_inline.CSSInliner(load_remote_stylesheets=False).inline(html)
    return _REVEALED_CONDITION.sub(r"<!\1>", inlined)


class _Shield:
    """Hides merge tags from the CSS inliner, which writes ``&quot;`` in them as ``"``."""

    def __init__(self) -> None:
        self._mark = f"shield{secrets.token_hex(8)}n"
        self._hidden: list[str] = []

    def protect(self, html: str) -> str:
        return markup.splice(html, list(self._edits(html)))

    def restore(self, text: str, decode: Callable[[str], str] = str) -> str:
        """Put back what was hidden, passed through *decode*."""
        return re.sub(
            rf"{self._mark}(\d+)n", lambda match: decode(self._hidden[int(match[1])]), text
        )

    def _edits(self, html: str) -> Iterator[markup.Edit]:
        for span in merge_tags.spans(html):
            if span.tag is not None:
                yield markup.Edit(span.start, span.end, f"{self._mark}{len(self._hidden)}n")
                self._hidden.append(html[span.start : span.end])
