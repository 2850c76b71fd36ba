"""What an activity was about, in words, and its symbol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _
from wagtail.documents import get_document_model

from ..tracking.corrections import urls_at
from ..tracking.models import Event, EventKind, Verdict
from ..tracking.reasons import SENTENCES

ICONS = {
    EventKind.OPEN: "view",
    EventKind.CLICK: "link",
    EventKind.DOWNLOAD: "download",
    EventKind.WEB_VIEW: "globe",
    EventKind.SUBSCRIBE: "plus",
    EventKind.CONFIRM: "check",
    EventKind.UNSUBSCRIBE: "minus",
    EventKind.DELIVERED: "success",
    EventKind.HARD_BOUNCE: "error",
    EventKind.SOFT_BOUNCE: "warning",
    EventKind.COMPLAINT: "no-view",
    EventKind.REPLY: "comment",
    EventKind.AUTO_REPLY: "time",
}
UNSURE = frozenset({Verdict.SUSPECTED, Verdict.PROXY})
"""Verdicts that are said: an activity that is shown is a person's, unless it says otherwise."""


class Value(NamedTuple):
    """What an activity was about: words, where they lead, and a word beside them."""

    text: str
    url: str = ""
    note: str = ""


class Activity(NamedTuple):
    """One line of a list of activities, ready to be shown or written to a file."""

    event: Event
    icon: str
    value: Value
    doubt: str
    """The verdict, where it is not simply a person; else empty."""
    doubt_reason: str
    """The sign that led to it, in a sentence."""


def described(events: Sequence[Event]) -> list[Activity]:
    """Return *events* as lines; three queries for any number of them.

    Contact, link, list and mailing must be selected with them (``queries`` does).
    """
    urls = urls_at(events)
    titles = _titles(event.link.document_id for event in events if event.link)
    return [_described(event, urls.get(event.pk, ""), titles) for event in events]


def _described(event: Event, url: str, titles: dict[int, str]) -> Activity:
    verdict = Verdict(event.verdict)
    return Activity(
        event=event,
        icon=ICONS.get(EventKind(event.kind), "info-circle"),
        value=_value(event, url, titles),
        doubt=str(verdict.label) if verdict in UNSURE else "",
        doubt_reason=str(SENTENCES.get(event.verdict_reason, "")) if verdict in UNSURE else "",
    )


def _value(event: Event, url: str, titles: dict[int, str]) -> Value:
    if event.link:
        title = titles.get(event.link.document_id or 0, url)
        return Value(title, url=url, note=event.get_device_display())
    if event.kind == EventKind.UNSUBSCRIBE:
        return Value(_left(event), note=event.get_why_display())
    if event.recipient_list:
        return Value(event.recipient_list.name, note=event.value)
    return Value(event.value, note=event.get_device_display())


def _left(event: Event) -> str:
    if event.value == "everything":
        return _("from everything")
    return event.recipient_list.name if event.recipient_list else ""


def _titles(documents: Iterable[int | None]) -> dict[int, str]:
    """Return the titles of these documents, as far as they still exist."""
    wanted = {document for document in documents if document}
    if not wanted:
        return {}
    found = get_document_model()._default_manager.filter(pk__in=wanted)
    return dict(found.values_list("pk", "title"))
