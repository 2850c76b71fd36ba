"""What can be chosen on the screens of contact activities, and what one user may choose."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.permission_policies import ModelPermissionPolicy

from ..activities.filters import SHOWN_VERDICTS, ActivityFilter
from ..activities.queries import OF_MAILINGS, addresses_in
from ..contacts.models import Contact, RecipientList
from ..emails.models import Email
from ..mailings.models import Mailing
from ..segments.models import Segment
from .permissions import SEE_CONTACTS
from .segments import may_see_members

Choices = list[tuple[Any, str]]

LABELS = {
    "kind": gettext_lazy("Activity"),
    "link": gettext_lazy("Link"),
    "list": gettext_lazy("List"),
    "segment": gettext_lazy("Segment"),
    "mailing": gettext_lazy("Send"),
    "from": gettext_lazy("From"),
    "to": gettext_lazy("Until"),
    "verdict": gettext_lazy("Verdict"),
    "q": gettext_lazy("Contact"),
    "sort": gettext_lazy("Order"),
}
"""The parameters of ``ActivityFilter`` as the screens call them."""


@dataclass(frozen=True)
class Offer:
    """The choices of one screen; those left empty are not offered."""

    kinds: Choices
    verdicts: Choices = field(default_factory=lambda: _labelled(SHOWN_VERDICTS))
    mailings: Choices = field(default_factory=list)
    links: Choices = field(default_factory=list)
    lists: Choices = field(default_factory=list)
    segments: Choices = field(default_factory=list)


def offer_for(email: Email, user: Any) -> Offer:
    """Return what can be chosen of the activities on *email*; four queries."""
    mailings = list(email.mailings.started())
    return Offer(
        kinds=_labelled(OF_MAILINGS),
        mailings=[(row.pk, _when(row)) for row in mailings] if len(mailings) > 1 else [],
        links=[(address, address) for address in addresses_in(email)],
        lists=list(RecipientList.objects.values_list("pk", "name")),
        segments=_segments(user),
    )


def chosen_by(user: Any, query: QueryDict) -> ActivityFilter:
    """Read a filter, without a segment whose members *user* may not know."""
    chosen = ActivityFilter.from_query(query)
    if not chosen.segment:
        return chosen
    segment = Segment.objects.filter(pk=chosen.segment).first()
    if segment is None or may_see_members(segment, user):
        return chosen
    return replace(chosen, segment=None, unreadable=(*chosen.unreadable, "segment"))


def left_out(chosen: ActivityFilter) -> str:
    """Say which parts of the filter were not understood; empty when all were."""
    if not chosen.unreadable:
        return ""
    names = ", ".join(str(LABELS[parameter]) for parameter in chosen.unreadable)
    return _("Left out, because it cannot be understood or is not for you: %(names)s.") % {
        "names": names
    }


def _segments(user: Any) -> Choices:
    if not ModelPermissionPolicy(Contact).user_has_any_permission(user, SEE_CONTACTS):
        return []
    return list(Segment.objects.values_list("pk", "name"))


def _labelled(values: Any) -> Choices:
    return [(value.value, str(value.label)) for value in values]


def _when(mailing: Mailing) -> str:
    moment = mailing.started_at or mailing.created_at
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT")
