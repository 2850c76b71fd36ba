"""Choosing the audience, the time and the variants of an A/B test, and where a test mail goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import validate_email
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.widgets import AdminDateTimeInput

from ..contacts.models import RecipientList, SubscriptionStatus
from ..emails import merge_tags
from ..emails.models import Email
from ..mailings.models import Mailing, MailingVariant, TestMetric
from ..segments.models import Segment
from ..sending.experiments import EVERYBODY, set_variants

MAX_TEST_ADDRESSES = 10
MAX_VARIANTS = 4
EMAILS_OFFERED = 100
USUAL_SHARE, USUAL_HOURS, MOST_HOURS = 20, 4, 24 * 14

Variant = tuple[str, Email | None]
"""A subject, empty for the e-mail's own, and another e-mail whose content is sent, or None."""


class ListChoices(forms.ModelMultipleChoiceField):
    """Lists with the number of people who are on them."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        subscribed = ngettext("%d subscriber", "%d subscribers", obj.subscribed) % obj.subscribed
        return f"{obj.name} – {subscribed}"


class VariantForm(forms.Form):
    """One alternative; empty where there is none."""

    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=200, required=False)
    email = forms.ModelChoiceField(
        Email.objects.none(),
        label=gettext_lazy("Content"),
        required=False,
        empty_label=gettext_lazy("of this e-mail"),
    )

    def __init__(self, *args: Any, emails: Sequence[Email], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["email"]
        field.queryset = Email.objects.filter(pk__in=[email.pk for email in emails])
        # Read once for all rows.
        field.choices = [("", field.empty_label), *((email.pk, str(email)) for email in emails)]

    def clean_subject(self) -> str:
        subject = " ".join(self.cleaned_data["subject"].split())
        if problems := merge_tags.problems(subject):
            raise forms.ValidationError(list(problems))
        return subject

    @property
    def variant(self) -> Variant:
        return self.cleaned_data.get("subject", ""), self.cleaned_data.get("email")


class VariantForms:
    """Always four rows, A to D, so that no script is needed to add one.

    Row A left empty is the e-mail as it is; the others count only if something is in them. With
    nothing in B to D there is no test.
    """

    def __init__(self, data: Any, mailing: Mailing) -> None:
        self.email = mailing.email
        begun = list(mailing.variants.select_related("email")) if mailing.pk else []
        emails = _offered(mailing.email, begun)
        self.rows = [
            VariantForm(data, prefix=f"variant-{row}", initial=_initial(begun, row), emails=emails)
            for row in range(MAX_VARIANTS)
        ]
        self.error = ""

    def __iter__(self) -> Any:
        return zip("ABCD", self.rows, strict=True)

    @property
    def variants(self) -> list[Variant]:
        """The variants of the test; fewer than two are none. After ``is_valid`` only."""
        first, *others = (row.variant for row in self.rows)
        return [first, *(variant for variant in others if any(variant))]

    @property
    def is_wanted(self) -> bool:
        """Whether something is filled in, or was before."""
        if not self.rows[0].is_bound:
            return any(row.initial for row in self.rows)
        return any(row.is_valid() is False or any(row.variant) for row in self.rows)

    def is_valid(self) -> bool:
        if not all(row.is_valid() for row in self.rows):
            return False
        variants = self.variants
        meant = [(subject or (mail or self.email).subject, mail) for subject, mail in variants]
        if len(variants) < 2 and any(variants[0]):
            self.error = _("A test needs at least two variants: fill in B as well.")
        elif len(set(meant)) < len(meant):
            self.error = _("Two variants are the same: give each its own subject or content.")
        return not self.error


def _offered(email: Email, begun: Sequence[MailingVariant]) -> list[Email]:
    """Return the e-mails whose content a variant may have: the newest, and those chosen before."""
    newest = list(Email.objects.exclude(pk=email.pk).order_by("-id")[:EMAILS_OFFERED])
    chosen = [variant.email for variant in begun if variant.email]
    return [*newest, *(mail for mail in chosen if mail not in newest)]


def _initial(begun: Sequence[MailingVariant], row: int) -> dict[str, Any]:
    if row >= len(begun):
        return {}
    return {"subject": begun[row].subject, "email": begun[row].email_id}


class MailingForm(forms.ModelForm):
    """Who gets the e-mail, and when, and in which variants."""

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
            "test_share",
            "test_hours",
            "test_metric",
        ]
        # The style sheet sees by the placeholder whether a time was entered.
        widgets = {"scheduled_at": AdminDateTimeInput(attrs={"placeholder": " "})}
        labels = {
            "scheduled_at": gettext_lazy("Set time"),
            "in_recipient_time_zone": gettext_lazy("At that hour on each reader's own clock"),
            "test_share": gettext_lazy("Share of the audience in the test, in percent"),
            "test_hours": gettext_lazy("Hours until the winner is chosen"),
            "test_metric": gettext_lazy("What decides"),
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
        self.variants = VariantForms(self.data if self.is_bound else None, self.instance)
        for name in ("test_share", "test_hours", "test_metric"):
            self.fields[name].required = False
        self.initial["test_share"] = self.instance.test_share or USUAL_SHARE

    def is_valid(self) -> bool:
        # Both are asked, so that all mistakes are shown at once.
        return all([super().is_valid(), self.variants.is_valid()])

    def save_variants(self) -> None:
        """Write the variants of the saved mailing; none when there is to be no test."""
        variants = self.variants.variants
        set_variants(self.instance, variants if len(variants) > 1 else [])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not (cleaned.get("recipient_lists") or cleaned.get("segments")):
            self.add_error("recipient_lists", _("Choose at least one list or segment."))
        self.instance.to_all_lists = not cleaned.get("recipient_lists")
        self._clean_time(cleaned)
        self._clean_test(cleaned)
        return cleaned

    def _clean_test(self, cleaned: dict[str, Any]) -> None:
        if not self.variants.is_wanted:
            cleaned["test_share"] = None
        elif "test_share" in cleaned and not 1 <= (cleaned["test_share"] or 0) <= EVERYBODY:
            self.add_error("test_share", _("Enter a number from 1 to 100."))
        cleaned["test_hours"] = cleaned.get("test_hours") or USUAL_HOURS
        if cleaned["test_hours"] > MOST_HOURS:
            self.add_error("test_hours", _("At most %d hours.") % MOST_HOURS)
        cleaned["test_metric"] = cleaned.get("test_metric") or TestMetric.CLICKS

    def _clean_time(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("when") != "later":
            if cleaned.get("scheduled_at") and "scheduled_at" in self.changed_data:
                self.add_error(
                    "when", _("You entered a time, but chose to send as soon as you confirm.")
                )
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
