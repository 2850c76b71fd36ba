"""Freezing a mailing: its content, its links and its audience, in one transaction."""

from __future__ import annotations

import re

from django.db import transaction

from ..conf import app_settings
from ..emails.models import Email
from ..emails.rendering import render_email
from ..mailings.audience import insert_deliveries
from ..mailings.models import Mailing, MailingContent, MailingState
from ..site_settings.queries import base_url, sender, settings_of
from ..tracking.models import TrackedLink
from ..tracking.rewriting import rewrite_links

UNSUBSCRIBE_TAG = "{{ unsubscribe_url }}"
PIXEL_TAG = "{{ open_pixel }}"


@transaction.atomic
def prepare(mailing: Mailing) -> None:
    """Freeze content and write the Deliveries of a mailing that is *preparing*.

    All or nothing: after a crash the mailing is still preparing and this runs again.
    """
    locked = Mailing.objects.select_for_update().get(pk=mailing.pk)
    if locked.state != MailingState.PREPARING:
        return
    freeze_content(locked)
    insert_deliveries(locked)
    locked.state = MailingState.SENDING
    locked.save(update_fields=["state"])
    mailing.state = locked.state


def freeze_content(mailing: Mailing) -> MailingContent:
    """Render the mailing's revision and store it with tracked links in place of its own."""
    email = content_of(mailing)
    rendered = render_email(email, site=mailing.site, unsubscribe_url=UNSUBSCRIBE_TAG)
    links: dict[str, str] = {}

    def take(url: str, _index: int) -> str:
        return links.setdefault(url, f"{{{{ link_{len(links)} }}}}")

    html = rewrite_links(rendered.html, take)
    TrackedLink.objects.bulk_create(
        TrackedLink(mailing=mailing, position=position, url=url)
        for position, url in enumerate(links)
    )
    return MailingContent.objects.create(
        mailing=mailing,
        subject=rendered.subject,
        html=with_pixel(html),
        text=with_links(rendered.text, links),
        from_email=sender(mailing.site),
        reply_to=settings_of(mailing.site).reply_to,
        base_url=base_url(mailing.site),
        anonymous_counting=app_settings.anonymous_counting,
    )


def content_of(mailing: Mailing) -> Email:
    """Return the e-mail as it was when the mailing was scheduled."""
    return mailing.revision.as_object() if mailing.revision else mailing.email


def with_pixel(html: str) -> str:
    """Return *html* with the open pixel as the last thing in its body."""
    before, body_end, after = html.rpartition("</body>")
    return f"{before}{PIXEL_TAG}{body_end}{after}" if body_end else html + PIXEL_TAG


def with_links(text: str, links: dict[str, str]) -> str:
    """Return *text* with every whole address that is a key of *links* replaced by its value."""
    if not links:
        return text
    longest_first = sorted(links, key=len, reverse=True)
    addresses = re.compile("|".join(map(re.escape, longest_first)) + r"(?![^\s)>\]])")
    return addresses.sub(lambda match: links[match[0]], text)
