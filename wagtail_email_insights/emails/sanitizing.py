"""Making a fragment of somebody else's HTML safe to show, in mail and in the admin."""

from __future__ import annotations

import bleach
from bleach.css_sanitizer import CSSSanitizer
from django.utils.module_loading import import_string

from ..conf import app_settings
from . import markup


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = _words(
    "a abbr b big blockquote br caption center cite code col colgroup dd del div dl dt em "
    "figcaption figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small "
    "span strike strong sub sup table tbody td tfoot th thead tr tt u ul"
)
CELL_ATTRIBUTES = ["bgcolor", "colspan", "rowspan", "height", "valign", "scope", "nowrap"]
ATTRIBUTES = {
    "*": ["align", "dir", "lang", "role", "style", "title", "width"],
    "a": ["href", "name", "target", "rel", "data-do-not-track"],
    "font": ["color", "face", "size"],
    "img": ["src", "alt", "height", "border", "hspace", "vspace"],
    "ol": ["start", "type"],
    "table": ["bgcolor", "border", "cellpadding", "cellspacing", "height", "summary"],
    "td": CELL_ATTRIBUTES,
    "th": CELL_ATTRIBUTES,
    "tr": ["bgcolor", "valign"],
    "ul": ["type"],
}
PROTOCOLS = frozenset({"http", "https", "mailto", "tel"})
# Nothing that loads (background images) or lies over the rest of the mail (position).
CSS_PROPERTIES = _words(
    "background-color border border-bottom border-bottom-color border-bottom-style "
    "border-bottom-width border-collapse border-color border-left border-left-color "
    "border-left-style border-left-width border-radius border-right border-right-color "
    "border-right-style border-right-width border-spacing border-style border-top "
    "border-top-color border-top-style border-top-width border-width color direction display "
    "font font-family font-size font-style font-variant font-weight height letter-spacing "
    "line-height list-style-type margin margin-bottom margin-left margin-right margin-top "
    "max-width min-width padding padding-bottom padding-left padding-right padding-top "
    "text-align text-decoration text-indent text-transform vertical-align white-space width "
    "word-break word-wrap"
)


def sanitize_fragment(html: str) -> str:
    """Return *html* without anything that could run, load secretly or break the mail around it.

    The work is done by the callable that the setting ``sanitizer`` names.
    """
    return import_string(app_settings.sanitizer)(html)


def bleach_fragment(html: str) -> str:
    """Keep the tags, attributes and styles that mail clients show; drop comments and the rest."""
    return bleach.clean(
        _without_raw_text(html),
        tags=TAGS,
        attributes=ATTRIBUTES,
        protocols=PROTOCOLS,
        css_sanitizer=CSSSanitizer(allowed_css_properties=CSS_PROPERTIES),
        strip=True,
        strip_comments=True,
    )


def _without_raw_text(html: str) -> str:
    """Take out scripts and style sheets whole: bleach would leave their source as text."""
    return markup.splice(
        html,
        (
            markup.Edit(tag.start, tag.raw_end, "")
            for tag in markup.start_tags(html)
            if tag.name in markup.RAW_TEXT_ELEMENTS
        ),
    )
