"""The list of e-mails: what became of each, and its figures for those who may see them."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.menus import MenuItem
from wagtail.admin.ui.tables import (
    BaseColumn,
    Column,
    DateColumn,
    StatusTagColumn,
    UpdatedAtColumn,
)
from wagtail.snippets.views import snippets

from ..emails.models import Email
from ..mailings.models import Mailing, MailingState
from .addresses import email_url
from .kpi_columns import dashes_last, kpi_columns, with_figures
from .permissions import VIEW_STATISTICS, has


def with_newest_mailing(emails: QuerySet[Email]) -> QuerySet[Email]:
    """Annotate each e-mail with the state and time of its newest mailing."""
    newest = Mailing.objects.filter(email=OuterRef("pk")).order_by("-id")
    return emails.annotate(
        mailing_state=Subquery(newest.values("state")[:1]),
        mailing_started_at=Subquery(newest.values("started_at")[:1]),
    )


def state_label(email: Email) -> str:
    state = email.mailing_state or MailingState.DRAFT
    return str(MailingState(state).label)


LIST_DISPLAY = [
    "title",
    Column(
        "subject",
        label=_("Subject"),
        sort_key="subject",
        classname="wei-beside-kpi wei-beside-kpi--roomy",
    ),
    StatusTagColumn(
        "mailing_state",
        label=_("State"),
        accessor=state_label,
        primary=lambda email: email.mailing_state == MailingState.SENT,
    ),
    DateColumn(
        "mailing_started_at",
        label=_("Sent on"),
        sort_key="mailing_started_at",
        classname="wei-beside-kpi",
    ),
    UpdatedAtColumn(classname="wei-beside-kpi wei-beside-kpi--roomy"),
]


class EmailIndexView(snippets.IndexView):
    default_ordering = "-id"

    @cached_property
    def shows_figures(self) -> bool:
        return has(self.request.user, VIEW_STATISTICS)

    @cached_property
    def columns(self) -> list[BaseColumn]:
        *columns, updated_at = super().columns
        return [*columns, *(kpi_columns() if self.shows_figures else []), updated_at]

    def get_list_more_buttons(self, instance: Email) -> list[Any]:
        """Lead to the figures of what was sent, too."""
        buttons = super().get_list_more_buttons(instance)
        if self.shows_figures and instance.mailing_started_at:
            statistics = MenuItem(
                _("Statistics"),
                url=email_url("statistics", instance),
                icon_name="email-statistics",
                priority=5,
            )
            return [statistics, *buttons]
        return buttons

    def get_base_queryset(self) -> QuerySet[Email]:
        emails = with_newest_mailing(super().get_base_queryset())
        return with_figures(emails) if self.shows_figures else emails

    def order_queryset(self, queryset: QuerySet[Email]) -> QuerySet[Email]:
        ordered = super().order_queryset(queryset)
        if self.ordering.removeprefix("-") in queryset.query.annotations:
            return ordered.order_by(*dashes_last(self.ordering), "-pk")
        return ordered

    def search_queryset(self, queryset: QuerySet[Email]) -> QuerySet[Email]:
        """Search first where the order was chosen: search itself cannot sort by our columns."""
        if not (self.is_searching and self.is_explicitly_ordered):
            return super().search_queryset(queryset)
        found = super().search_queryset(Email.objects.order_by())
        return queryset.filter(pk__in=[email.pk for email in found])
