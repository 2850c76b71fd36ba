"""Lists of e-mails with their figures, as annotations that a database can sort by."""

from __future__ import annotations

from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, NullIf

from ..emails.models import Email
from ..mailings.models import Mailing
from ..tracking import recording, totals
from ..tracking.models import Dimension, MailingTotals, Scope, Tally

OF_COPIES = ("sent", "hard_bounced", "soft_bounced", "told_apart", "told_apart_bounced")
OF_EVENTS = ("opened", "clicked", "unsubscribed", "replied", "downloaded")


def with_kpis(emails: QuerySet[Email]) -> QuerySet[Email]:
    """Annotate the figures of everything ever sent of each e-mail, as ``figures_for_email`` counts.

    ``kpi_sent``, ``kpi_delivered``, ``kpi_unsubscribed``, ``kpi_replies`` and
    ``kpi_attachment_views`` are copies, ``kpi_open_rate`` and ``kpi_click_rate`` shares of the
    delivered copies that can be told apart, NULL where there are none. Mailings under way are
    counted now, in queries whose number does not depend on how many e-mails there are.
    """
    recording.catch_up()
    counted = _sums_not_stored()
    sums = {f"_{column}": _of_copies(column, counted) for column in OF_COPIES}
    sums |= {f"_{column}": _of_events(column) for column in OF_EVENTS}
    delivered = F("_sent") - F("_hard_bounced") - F("_soft_bounced")
    readers = F("_told_apart") - F("_told_apart_bounced")
    return emails.alias(**sums).annotate(
        kpi_sent=F("_sent"),
        kpi_delivered=delivered,
        kpi_open_rate=_share(F("_opened"), readers),
        kpi_click_rate=_share(F("_clicked"), readers),
        kpi_unsubscribed=F("_unsubscribed"),
        kpi_replies=F("_replied"),
        kpi_attachment_views=F("_downloaded"),
    )


def _sums_not_stored() -> dict[int, list[MailingTotals]]:
    """Return what has to be counted now, by e-mail: mailings under way, and what changed lately."""
    stale = Mailing.objects.started().exclude(totals__is_fresh=True).order_by()
    email_of = dict(stale.values_list("pk", "email"))
    rows: dict[int, list[MailingTotals]] = {}
    for pk, row in totals.totals_of(list(email_of)).items():
        rows.setdefault(email_of[pk], []).append(row)
    return rows


def _of_copies(column: str, counted: dict[int, list[MailingTotals]]) -> Any:
    """Add what is stored to what was counted; counting may have stored some of that just now."""
    already = [row.pk for rows in counted.values() for row in rows]
    stored = MailingTotals.objects.filter(_started_of_email(), is_fresh=True)
    now = [
        When(pk=email_id, then=Value(sum(getattr(row, column) for row in rows)))
        for email_id, rows in counted.items()
    ]
    return _sum(stored.exclude(pk__in=already), column) + Case(
        *now, default=Value(0), output_field=BigIntegerField()
    )


def _of_events(column: str) -> Any:
    rows = Tally.objects.filter(
        _started_of_email(), scope=Scope.READERS, dimension=Dimension.ALL, key=""
    )
    return _sum(rows, column)


def _started_of_email() -> Q:
    mailings = Mailing.objects.started().order_by().filter(email=OuterRef(OuterRef("pk")))
    return Q(mailing__in=mailings.values("pk"))


def _sum(rows: QuerySet[Any], column: str) -> Any:
    sums = rows.order_by().annotate(_one=Value(1)).values("_one").annotate(_sum=Sum(column))
    return Coalesce(Subquery(sums.values("_sum"), output_field=BigIntegerField()), Value(0))


def _share(part: Any, whole: Any) -> Any:
    return Cast(part, FloatField()) / NullIf(Cast(whole, FloatField()), Value(0.0))
