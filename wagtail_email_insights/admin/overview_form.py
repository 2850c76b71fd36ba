"""Which mailings the overview is about: a span of days, a list, a sender, a site."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import Site

from ..contacts.models import RecipientList
from ..site_settings.models import Sender
from ..statistics.overview import OverviewFilters

CUSTOM, USUAL = "custom", "30"
CHOICES = ("recipient_list", "sender", "site")
DAYS = {
    "7": gettext_lazy("Last 7 days"),
    "30": gettext_lazy("Last 30 days"),
    "90": gettext_lazy("Last 90 days"),
    "365": gettext_lazy("Last 365 days"),
    CUSTOM: gettext_lazy("From … to …"),
}
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
LONGEST = timedelta(days=3660)

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class OverviewForm(forms.Form):
    """Read from the address; what cannot be read is said, and the usual days are shown."""

    days = forms.ChoiceField(
        label=gettext_lazy("Period"), choices=list(DAYS.items()), required=False
    )
    start = forms.DateField(label=gettext_lazy("From"), required=False, widget=DAY)
    end = forms.DateField(label=gettext_lazy("To"), required=False, widget=DAY)
    recipient_list = forms.ModelChoiceField(
        RecipientList.objects.order_by("name"),
        label=gettext_lazy("List"),
        required=False,
        empty_label=gettext_lazy("All lists"),
    )
    sender = forms.ModelChoiceField(
        Sender.objects.order_by("name"),
        label=gettext_lazy("Sender"),
        required=False,
        empty_label=gettext_lazy("All senders"),
    )
    site = forms.ModelChoiceField(
        Site.objects.order_by("site_name", "hostname"),
        label=gettext_lazy("Site"),
        required=False,
        empty_label=gettext_lazy("All sites"),
    )

    def __init__(self, query: QueryDict) -> None:
        super().__init__({"days": USUAL} | _without_nul(query))
        for name in CHOICES:
            field: Any = self.fields[name]
            # Read once; and who has one sender only is not asked for it.
            field.choices = list(field.choices)
            if len(field.choices) <= 2:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if cleaned.get("days") == CUSTOM and not self.errors:
            if not (start and end):
                raise forms.ValidationError(_("Choose the first and the last day."))
            if start > end:
                raise forms.ValidationError(_("The last day must come after the first one."))
            if start < EARLIEST or end > LATEST or end - start > LONGEST:
                raise forms.ValidationError(_("Choose at most ten years, none before 2000."))
        return cleaned

    @cached_property
    def filters(self) -> OverviewFilters:
        """What is asked for; what could not be read is as if it had been left out."""
        is_valid, chosen = self.is_valid(), self.cleaned_data
        if not is_valid and chosen.get("days") == CUSTOM:
            chosen["days"] = USUAL
        first, last = _span(chosen)
        return OverviewFilters(
            start=_midnight(first),
            end=_midnight(last + timedelta(days=1)),
            **{name: chosen.get(name) for name in CHOICES},
        )


def _span(chosen: dict[str, Any]) -> tuple[date, date]:
    """Return the first and the last day, both taken in."""
    if chosen.get("days") == CUSTOM:
        return chosen["start"], chosen["end"]
    today = timezone.localdate()
    return today - timedelta(days=int(chosen.get("days") or USUAL) - 1), today


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _without_nul(query: QueryDict) -> dict[str, str]:
    """Return what stands in the address, without the one character PostgreSQL does not take."""
    return {name: str(query[name]).replace("\0", "") for name in query if query[name]}
