"""Freezing a mailing: its content, its links and its audience, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from ..conf import app_settings
from ..emails import markup
from ..emails.documents import LONGEST_DAYS
from ..emails.models import Email
from ..emails.rendering import RenderedEmail, render_email
from ..mailings.audience import insert_deliveries
from ..mailings.models import Mailing, MailingContent, MailingState, MailingVariant
from ..site_settings.queries import base_url, identity
from ..tracking.models import TrackedLink
from ..tracking.rewriting import Target, rewrite_targets
from . import experiments, local_time, slots

UNSUBSCRIBE_TAG = "{{ unsubscribe_url }}"
PIXEL_TAG = f"{{{{ {slots.OPEN_PIXEL_TAG} }}}}"
TRAP_TAG = f"{{{{ {slots.TRAP_TAG} }}}}"
WEB_VERSION_TAG = f"{{{{ {slots.WEB_VERSION_TAG} }}}}"


@transaction.atomic
def prepare(mailing: Mailing) -> None:
    """Freeze content and write the Deliveries of a mailing that is *preparing*.

    All or nothing: after a crash the mailing is still preparing and this runs again.
    """
    locked = Mailing.objects.locked().get(pk=mailing.pk)
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


def with_trap(html: str) -> str:
    """Return *html* with the trap link as the first thing in its body, far from the footer."""
    bodies = (tag.end for tag in markup.start_tags(html) if tag.name == "body")
    start = next(bodies, 0)
    return f"{html[:start]}{TRAP_TAG}{html[start:]}"


def with_links(text: str, links: Mapping[str, str]) -> str:
    """Return *text* with every whole address that is a key of *links* replaced by its value."""
    if not links:
        return text
    longest_first = sorted(links, key=len, reverse=True)
    addresses = re.compile("|".join(map(re.escape, longest_first)) + r"(?![^\s)>\]])")
    return addresses.sub(lambda match: links[match[0]], text)


def _freeze(mailing: Mailing, email: Email, variant: int = 0) -> None:
    rendered = render_email(
        email,
        site=mailing.site,
        unsubscribe_url=UNSUBSCRIBE_TAG,
        web_version_url=WEB_VERSION_TAG,
    )
    html, links = _take_links(rendered)
    _store_links(mailing, variant, links)
    who = identity(mailing.site, mailing.sender)
    MailingContent.objects.create(
        mailing=mailing,
        variant=variant,
        subject=rendered.subject,
        html=with_pixel(with_trap(html) if app_settings.trap_links else html),
        text=with_links(rendered.text, _by_address(links)),
        from_email=who.from_email,
        reply_to=who.reply_to,
        bounce_address=who.bounce_address,
        base_url=base_url(mailing.site),
        anonymous_counting=app_settings.anonymous_counting,
    )


def _take_links(rendered: RenderedEmail) -> tuple[str, dict[Target, str]]:
    """Return the HTML with a tag per destination, and the tag of each destination."""
    links: dict[Target, str] = {}

    def take(target: Target, _index: int) -> str:
        return links.setdefault(target, f"{{{{ link_{len(links)} }}}}")

    return rewrite_targets(rendered.html, take), links


def _store_links(mailing: Mailing, variant: int, links: Mapping[Target, str]) -> None:
    TrackedLink.objects.bulk_create(
        TrackedLink(
            mailing=mailing,
            variant=variant,
            position=position,
            url=target.url,
            document_id=target.document_id,
            expires_at=_expiry(mailing, target.days),
        )
        for position, target in enumerate(links)
    )


def _expiry(mailing: Mailing, days: int | None) -> datetime | None:
    if days is None:
        return None
    return (mailing.started_at or timezone.now()) + timedelta(days=min(days, LONGEST_DAYS))


def _by_address(links: Mapping[Target, str]) -> dict[str, str]:
    """Return the tag of each address; where a text links an attachment too, the attachment's."""
    attachments_last = sorted(links, key=lambda target: target.document_id is not None)
    return {target.url: links[target] for target in attachments_last}


def _content_of_variant(mailing: Mailing, variant: MailingVariant) -> Email:
    """Return the content of one variant: its own e-mail's newest revision, its own subject."""
    email = variant.email.get_latest_revision_as_object() if variant.email else content_of(mailing)
    if variant.subject:
        email.subject = variant.subject
    return email
