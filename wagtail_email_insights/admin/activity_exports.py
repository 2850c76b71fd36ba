"""Contact activities as a file: of an e-mail, a contact or all, narrowed down as on the screen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.generic import View
from wagtail.log_actions import log

from ..activities import exports, queries
from ..activities.filters import ActivityFilter
from ..contacts.models import Contact
from ..emails.models import Email
from ..segments.queries import UnknownCondition
from ..tracking.models import Event
from .activity_filters import chosen_by
from .permissions import APP, EXPORT_CONTACTS, VIEW_ACTIVITIES, RequiresPermission, has
from .spreadsheet_responses import FORMATS

ACTION = f"{APP}.export_activities"
LARGEST_KEY = 2**63 - 1


class ActivitiesExport(RequiresPermission, View):
    """``?email=`` or ``?contact=``, the filter as on the screens, and ``format=``.

    Whoever may see activities and export contacts gets it, and the log says so.
    """

    required_permission = VIEW_ACTIVITIES

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if not has(request.user, EXPORT_CONTACTS):
            raise PermissionDenied
        write = FORMATS.get(request.GET.get("format", ""))
        if write is None:
            raise Http404
        try:
            rows = exports.rows(self.activities, self.chosen)
        except UnknownCondition as error:
            raise Http404(str(error)) from error
        self._log()
        return write(self.name, exports.header(), rows)

    @cached_property
    def chosen(self) -> ActivityFilter:
        return chosen_by(self.request.user, self.request.GET)

    @cached_property
    def about(self) -> Email | Contact | None:
        """What the activities are of; None for all there are."""
        query = self.request.GET
        if key := query.get("email"):
            return get_object_or_404(Email, pk=_key(key))
        if key := query.get("contact"):
            return get_object_or_404(Contact, pk=_key(key))
        return None

    @property
    def activities(self) -> QuerySet[Event]:
        if isinstance(self.about, Email):
            return queries.of_email(self.about)
        return queries.of_contact(self.about) if self.about else queries.everything()

    @property
    def name(self) -> str:
        """Return the name of the file; that of a contact stays out of it."""
        about = slugify(self.about.title) if isinstance(self.about, Email) else ""
        return "-".join(filter(None, [slugify(_("Contact activities")), about]))[:80]

    def _log(self) -> None:
        # All activities are of nothing in particular: then the entry is about who took them.
        instance: Any = self.about or self.request.user
        # Nor what was searched for: it may be an address, and the log outlives the contact.
        chosen = replace(self.chosen, search="…" if self.chosen.search else "")
        data = {"format": self.request.GET["format"], "filter": chosen.to_query()}
        log(instance=instance, action=ACTION, user=self.request.user, data=data)


def _key(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= LARGEST_KEY):
        raise Http404
    return int(text)


export = ActivitiesExport.as_view()
