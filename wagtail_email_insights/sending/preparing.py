"""Freezing a mailing: its content, its links and its audience, in one transaction."""

from __future__ import annotations

import re

from django.db import transaction

from ..conf import app_settings
from ..emails.models import Email
from ..emails.rendering import RenderedEmail, render_email
from ..mailings.audience import insert_deliveries
from ..mailings.models import Mailing, MailingContent, MailingState, MailingVariant
from ..site_settings.queries import base_url, identity
from ..tracking.models import TrackedLink
from ..tracking.rewriting import rewrite_links
from . import experiments, local_time

UNSUBSCRIBE_TAG = "{{ unsubscribe_url }}"
PIXEL_TAG = "{{ open_pixel }}"


@transaction.atomic
def prepare(mailing: Mailing) -> None:
    """Freeze content and write the Deliveries of a mailing that is *preparing*.

    All or nothing: after a crash the mailing is still preparing and this runs again.
    """
    locked = Mailing.objects.select_for_update().get(pk=mailing.pk)
    if locked.state != MailingState.PREPARING:
        mailing.state = locked.state
        return
    freeze_content(locked)
    insert_deliveries(locked)
    experiments.assign_variants(locked)
    local_time.hold_until_local_hour(locked)
    locked.state = MailingState.SENDING
    locked.state_reason = ""
    locked.save(update_fields=["state", "state_reason"])
    mailing.state = locked.state


def freeze_content(mailing: Mailing) -> None:
    """Render and store what the mailing sends: one content, or one per variant of a test."""
    variants = list(mailing.variants.select_related("email"))
    if not variants:
        _freeze(mailing, content_of(mailing))
    for variant in variants:
        _freeze(mailing, _content_of_variant(mailing, variant), variant.number)


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


def _freeze(mailing: Mailing, email: Email, variant: int = 0) -> None:
    rendered = render_email(email, site=mailing.site, unsubscribe_url=UNSUBSCRIBE_TAG)
    html, links = _take_links(rendered)
    TrackedLink.objects.bulk_create(
        TrackedLink(mailing=mailing, variant=variant, position=position, url=url)
        for position, url in enumerate(links)
    )
    who = identity(mailing.site, mailing.sender)
    MailingContent.objects.create(
        mailing=mailing,
        variant=variant,
        subject=rendered.subject,
        html=with_pixel(html),
        text=with_links(rendered.text, links),
        from_email=who.from_email,
        reply_to=who.reply_to,
        bounce_address=who.bounce_address,
        base_url=base_url(mailing.site),
        anonymous_counting=app_settings.anonymous_counting,
    )


def _take_links(rendered: RenderedEmail) -> tuple[str, dict[str, str]]:
    """Return the HTML with a tag per destination, and the tag of each destination."""
    links: dict[str, str] = {}

    def take(url: str, _index: int) -> str:
        return links.setdefault(url, f"{{{{ link_{len(links)} }}}}")

    return rewrite_links(rendered.html, take), links


def _content_of_variant(mailing: Mailing, variant: MailingVariant) -> Email:
    """Return the content of one variant: its own e-mail's newest revision, its own subject."""
    email = variant.email.get_latest_revision_as_object() if variant.email else content_of(mailing)
    if variant.subject:
        email.subject = variant.subject
    return email
