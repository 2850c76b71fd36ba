"""Listeners: erased contacts, and provider webhooks through django-anymail, which verifies them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models.signals import pre_delete

from ..contacts import actions as contact_actions
from ..contacts.models import Contact
from .actions import first_time, handle, take_in
from .classifying import categorise, enhanced_code, severity
from .finding import find_subject
from .models import Reply
from .references import delivery_id
from .reports import MAX_REASON, Category, Report, ReportKind

KINDS = {
    "delivered": ReportKind.NONE,
    "bounced": ReportKind.SOFT,
    "rejected": ReportKind.SOFT,
    "complained": ReportKind.COMPLAINT,
    "autoresponded": ReportKind.AUTO_REPLY,
}
"""anymail's event types that we act on; whether a bounce is for good is found out below.

"deferred" is not among them: the provider goes on trying and tells later how it ended.
"""

REJECT_CATEGORIES = {
    "invalid": Category.UNKNOWN_ADDRESS,
    "timed_out": Category.EXPIRED,
    "blocked": Category.POLICY,
    "spam": Category.CONTENT,
    "unsubscribed": Category.POLICY,
}
"""anymail's reject reasons, asked where the server's own words say nothing."""

PERMANENT_WORDS = frozenset({"permanent", "hardbounce", "hard_bounce", "hard"})
HINT_KEYS = ("type", "event", "severity", "bounceType", "bounce_type", "bounce_class", "Type")
"""Where providers say that a bounce is for good: Postmark, SES, Mailgun, Brevo and their like."""


def connect() -> None:
    """Listen, to anymail's signals too if it is installed; called once, when the app is ready."""
    pre_delete.connect(
        forget_replies, sender=Contact, dispatch_uid="wagtail_email_insights.feedback.replies"
    )
    try:
        from anymail.signals import inbound, tracking
    except ImportError:
        return
    tracking.connect(on_tracking, dispatch_uid="wagtail_email_insights.feedback.tracking")
    inbound.connect(on_inbound, dispatch_uid="wagtail_email_insights.feedback.inbound")


def forget_replies(*, instance: Contact, **_kwargs: Any) -> None:
    """What a contact wrote goes with them; that they wrote stays as an event without a name."""
    Reply.objects.filter(event__contact=instance).delete()


@transaction.atomic
def on_tracking(*, event: Any, esp_name: str = "", **_kwargs: Any) -> None:
    """Take in one provider event; a webhook that is delivered again does nothing."""
    if event.event_type not in KINDS and event.event_type != "unsubscribed":
        return
    # Arrivals come by the million and count once per copy anyway: no key is kept for them.
    is_arrival = event.event_type == "delivered"
    if event.event_id and not is_arrival and not first_time(_key(esp_name, event)):
        return
    if event.event_type == "unsubscribed":
        _unsubscribe(event)
    else:
        take_in(_report(event), at=event.timestamp)


def on_inbound(*, event: Any, **_kwargs: Any) -> None:
    """Take in a mail that the provider received for us: reply, bounce or automatic reply."""
    if event.message is not None:
        handle(event.message.as_bytes(), at=event.timestamp)


def _unsubscribe(event: Any) -> None:
    subject = find_subject(_token(event), event.recipient or "")
    if subject and subject.contact:
        contact_actions.unsubscribe_from_all(subject.contact, mailing=subject.mailing)


def _report(event: Any) -> Report:
    words = " ".join(filter(None, (event.mta_response, event.description)))
    code = enhanced_code(words)
    kind, category = _judge(event, code, words)
    return Report(
        kind=kind,
        recipient=event.recipient or "",
        code=code,
        reason=words[:MAX_REASON],
        category=category,
        token=_token(event),
        message_id=event.message_id or "",
    )


def _judge(event: Any, code: str, words: str) -> tuple[ReportKind, Category]:
    kind = KINDS[event.event_type]
    if kind is not ReportKind.SOFT:
        return kind, Category.DELIVERED if kind is ReportKind.NONE else Category.ABUSE
    category = categorise(code, words)
    if category == Category.OTHER:
        category = _category_without_words(event)
    return severity(code, words, category), category


def _category_without_words(event: Any) -> Category:
    category = REJECT_CATEGORIES.get(event.reject_reason or "", Category.OTHER)
    if category == Category.OTHER and _is_permanent(event):
        return Category.UNKNOWN_ADDRESS
    return category


def _is_permanent(event: Any) -> bool:
    # "Rejected because it bounced before" is the provider's own suppression list speaking.
    if event.event_type == "rejected":
        return event.reject_reason == "bounced"
    return any(hint.lower() in PERMANENT_WORDS for hint in _hints(event.esp_event))


def _hints(esp_event: Any) -> Iterator[str]:
    """Yield the provider's own words for the kind of bounce, at the top or one level down."""
    if not isinstance(esp_event, Mapping):
        return
    for level in (esp_event, *(esp_event.get(key) for key in ("bounce", "event-data", "data"))):
        if isinstance(level, Mapping):
            yield from (value for key in HINT_KEYS if isinstance(value := level.get(key), str))


def _token(event: Any) -> str:
    """Return our token: in the Message-ID where the provider keeps ours, or in the metadata."""
    local = (event.message_id or "").strip("<>").rpartition("@")[0]
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    candidates = [local, *(value for value in metadata.values() if isinstance(value, str))]
    return next((text for text in candidates if text and delivery_id(text) is not None), "")


def _key(esp_name: str, event: Any) -> str:
    text = f"{esp_name}:{event.event_type}:{event.event_id}:{event.recipient}"
    return hashlib.sha256(text.encode()).hexdigest()
