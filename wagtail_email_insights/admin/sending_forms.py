"""Choosing the audience and the time, and where a test goes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import validate_email
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.widgets import AdminDateTimeInput

from ..contacts.models import RecipientList, SubscriptionStatus
from ..mailings.models import Mailing
from ..segments.models import Segment

MAX_TEST_ADDRESSES = 10


class ListChoices(forms.ModelMultipleChoiceField):
    """Lists with the number of people who are on them."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        subscribed = ngettext("%d subscriber", "%d subscribers", obj.subscribed) % obj.subscribed
        return f"{obj.name} – {subscribed}"


class MailingForm(forms.ModelForm):
    """Who gets the e-mail, and when."""

    recipient_lists = ListChoices(
        RecipientList.objects.none(), label=gettext_lazy("Lists"), required=False
    )
    segments = forms.ModelMultipleChoiceField(
        Segment.objects.all(),
        label=gettext_lazy("Only contacts in any of these segments"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    excluded_segments = forms.ModelMultipleChoiceField(
        Segment.objects.all(),
        label=gettext_lazy("But nobody in any of these segments"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            ("now", gettext_lazy("As soon as I confirm")),
            ("later", gettext_lazy("At a set time")),
        ],
        initial="now",
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Mailing
        fields = [
            "recipient_lists",
            "segments",
            "excluded_segments",
            "sender",
            "when",
            "scheduled_at",
            "in_recipient_time_zone",
        ]
        widgets = {"scheduled_at": AdminDateTimeInput}
        labels = {
            "scheduled_at": gettext_lazy("Set time"),
            "in_recipient_time_zone": gettext_lazy("At that hour on each reader's own clock"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        subscribed = Q(subscriptions__status=SubscriptionStatus.SUBSCRIBED)
        self.fields["recipient_lists"].queryset = RecipientList.objects.annotate(  # type: ignore[attr-defined]
            subscribed=Count("subscriptions", filter=subscribed)
        )
        zone = timezone.get_current_timezone_name()
        self.fields["scheduled_at"].help_text = _("Time zone: %(zone)s") % {"zone": zone}
        self.fields["sender"].empty_label = _("The usual sender of this site")  # type: ignore[attr-defined]
        if self.instance.scheduled_at:
            self.initial["when"] = "later"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not (cleaned.get("recipient_lists") or cleaned.get("segments")):
            self.add_error("recipient_lists", _("Choose at least one list or segment."))
        self._clean_time(cleaned)
        return cleaned

    def _clean_time(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("when") != "later":
            cleaned["scheduled_at"] = None
            cleaned["in_recipient_time_zone"] = False
            return
        at = cleaned.get("scheduled_at")
        if at is None:
            if "scheduled_at" not in self.errors:
                self.add_error("scheduled_at", _("Enter the day and the time."))
        elif at <= timezone.now():
            self.add_error("scheduled_at", _("Choose a time in the future."))


class TestForm(forms.Form):
    """A few addresses that get the e-mail as a test."""

    addresses = forms.CharField(
        label=gettext_lazy("Send a test to"),
        help_text=gettext_lazy("One or more addresses, separated by commas."),
    )

    def clean_addresses(self) -> list[str]:
        text = self.cleaned_data["addresses"].replace(";", ",")
        addresses = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        if len(addresses) > MAX_TEST_ADDRESSES:
            raise forms.ValidationError(_("At most %d addresses at a time.") % MAX_TEST_ADDRESSES)
        for address in addresses:
            validate_email(address)
        return addresses
