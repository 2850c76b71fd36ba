"""The parts of a filter of activities, each as a list of links beside the activity log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..activities.filters import SHOWN_VERDICTS, ActivityFilter
from ..contacts.models import RecipientList
from ..tracking.models import Event, EventKind

Lookups = Iterable[tuple[Any, str]]


class PartOfFilter(SimpleListFilter):
    """One parameter of ``ActivityFilter``; what that does not understand filters nothing."""

    parameter_name: str
    template = "wagtail_email_insights/admin/activities/log_filter.html"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        query = QueryDict(mutable=True)
        query[self.parameter_name] = self.value() or ""
        return ActivityFilter.from_query(query).apply(queryset)


class KindFilter(PartOfFilter):
    title = gettext_lazy("activity")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [(kind.value, str(kind.label)) for kind in EventKind]


class PeriodFilter(PartOfFilter):
    title = gettext_lazy("time")
    parameter_name = "from"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        today = localdate()
        return [
            (today.isoformat(), _("Today")),
            ((today - timedelta(days=6)).isoformat(), _("Last 7 days")),
            ((today - timedelta(days=29)).isoformat(), _("Last 30 days")),
            (today.replace(month=1, day=1).isoformat(), _("This year")),
        ]


class RecipientListFilter(PartOfFilter):
    title = gettext_lazy("list of the contact")
    parameter_name = "list"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return list(RecipientList.objects.values_list("pk", "name"))


class VerdictFilter(PartOfFilter):
    title = gettext_lazy("verdict")
    parameter_name = "verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [(verdict.value, str(verdict.label)) for verdict in SHOWN_VERDICTS]


LOG_FILTERS = (KindFilter, PeriodFilter, RecipientListFilter, VerdictFilter)
