"""The figures that stand in the list of e-mails, and how the list is sorted by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column

from ..emails.models import Email
from ..mailings.models import Mailing
from ..statistics.counts import reported_kinds
from ..statistics.queries import with_kpis
from ..templatetags.email_insights_admin import number, percent
from ..tracking.models import EventKind, TrackedLink

ADMIN_CSS = forms.Media(css={"all": ["wagtail_email_insights/admin.css"]})

NOT_SENT = Q(kpi_sent=0)
DASHES = {
    "kpi_attachment_views": Q(has_attachments=False),
    "mailing_started_at": Q(mailing_started_at=None),
}
"""When a column shows a dash, for those that do so for another reason than nothing sent."""


class KpiColumn(Column):
    """A figure of each e-mail; a dash where there is none.

    *source* names the attribute that is empty where there is nothing to count; something may be
    counted all the same, as uncertain copies are not sent and may be read. Columns that are
    *lesser* give way on narrow screens.
    """

    def __init__(
        self,
        name: str,
        label: Any,
        write: Callable[[Any], str],
        *,
        source: str = "kpi_sent",
        is_lesser: bool = True,
    ) -> None:
        classname = "wei-kpi wei-kpi--lesser" if is_lesser else "wei-kpi"
        super().__init__(name, label=label, sort_key=name, classname=classname)
        self.write = write
        self.source = source

    def get_value(self, instance: Email) -> str:
        value = getattr(instance, self.name)
        return self.write(value if value or getattr(instance, self.source) else None)

    @property
    def media(self) -> forms.Media:
        return ADMIN_CSS


def kpi_columns() -> list[KpiColumn]:
    """Return the columns for e-mails ``with_figures``; what nobody reports has none."""
    return [
        KpiColumn("kpi_sent", _("Sent"), number, is_lesser=False),
        KpiColumn("kpi_delivered", _("Delivered"), number),
        KpiColumn("kpi_open_rate", _("Opened"), percent),
        KpiColumn("kpi_click_rate", _("Clicked"), percent, is_lesser=False),
        KpiColumn("kpi_unsubscribed", _("Unsubscribed"), number),
        *([KpiColumn("kpi_replies", _("Replies"), number)] if _replies_are_reported() else []),
        KpiColumn("kpi_attachment_views", _("Attachment views"), number, source="has_attachments"),
    ]


def with_figures(emails: QuerySet[Email]) -> QuerySet[Email]:
    """Annotate what ``kpi_columns`` show."""
    started = Mailing.objects.started().order_by().filter(email=OuterRef(OuterRef("pk")))
    files = TrackedLink.objects.filter(mailing__in=started.values("pk"), document_id__isnull=False)
    return with_kpis(emails).annotate(has_attachments=Exists(files))


def dashes_last(ordering: str) -> tuple[Any, Any]:
    """Return by what to sort: *ordering*, an annotation perhaps after a minus, below all dashes."""
    name = ordering.removeprefix("-")
    is_dash = Case(When(DASHES.get(name, NOT_SENT & Q((name, 0))), then=1), default=0)
    if ordering.startswith("-"):
        return is_dash, F(name).desc(nulls_last=True)
    return is_dash, F(name).asc(nulls_last=True)


def _replies_are_reported() -> bool:
    return EventKind.REPLY in reported_kinds()
