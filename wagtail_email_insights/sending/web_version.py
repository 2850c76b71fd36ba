"""An e-mail as it was sent, for a browser: what "View in your browser" leads to.

The address may be handed on, so the page knows nobody: merge tags show what they show for an
unknown reader, and the unsubscribe link does not unsubscribe the one who got the mail. Links carry
the number of that copy, as they do in a mail that is handed on.
"""

from __future__ import annotations

from django.urls import reverse

from .. import tokens
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
    return filled(content.html, values, escape=True)
