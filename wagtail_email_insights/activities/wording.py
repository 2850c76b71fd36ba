"""What an activity was about, and its symbol."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ..tracking.models import Event, EventKind

ICONS = {
    EventKind.OPEN: "view",
    EventKind.CLICK: "link",
    EventKind.SUBSCRIBE: "plus",
    EventKind.CONFIRM: "check",
    EventKind.UNSUBSCRIBE: "minus",
    EventKind.DELIVERED: "success",
    EventKind.HARD_BOUNCE: "error",
    EventKind.SOFT_BOUNCE: "warning",
    EventKind.COMPLAINT: "warning",
    EventKind.REPLY: "comment",
    EventKind.AUTO_REPLY: "time",
}


def value_of(event: Event) -> str:
    """Return the link's own address, the list, or the like; needs no query if they are selected."""
    if event.link:
        return event.link.url
    if event.kind == EventKind.UNSUBSCRIBE and event.value == "everything":
        return _("from everything")
    if event.recipient_list:
        return event.recipient_list.name
    return event.value


def icon_of(event: Event) -> str:
    return ICONS.get(EventKind(event.kind), "info-circle")
