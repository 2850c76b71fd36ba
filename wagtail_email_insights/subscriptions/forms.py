"""The subscribe form and the question asked on the unsubscribe page."""

from __future__ import annotations

import secrets
import time
import unicodedata
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ..conf import app_settings
from ..consents.models import ConsentVersion
from ..consents.queries import current_version, tracking_consent
from ..contacts.fields import normalise_address
from ..contacts.models import RecipientList
from ..tracking.models import LeavingReason

# Hardly anybody fills in the form faster; most programs do.
MIN_SECONDS = 2
# A longer number fits no id column.
MAX_DIGITS = 19
STAMP_SALT = "wagtail_email_insights.subscriptions.started"


def no_control_characters(value: str) -> None:
    """Refuse line breaks and their like: they could start a mail header of their own."""
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in value):
        raise ValidationError(_("Please leave out line breaks and other control characters."))


def make_stamp() -> str:
    """Return the signed time at which a form was shown."""
    return signing.dumps(time.time(), salt=STAMP_SALT)


class SubscribeForm(forms.Form):
    """Asks for an address, and whether its owner's opens and clicks may be known.

    ``trap`` and ``started`` are for programs; see ``is_from_a_program`` and ``came_too_soon``.
    """

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        validators=[no_control_characters],
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    first_name = forms.CharField(
        label=_("First name (optional)"),
        max_length=100,
        required=False,
        validators=[no_control_characters],
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    agrees = forms.BooleanField(required=False)
    wording = forms.CharField(required=False, widget=forms.HiddenInput)
    trap = forms.CharField(
        label=_("Leave this field empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    started = forms.CharField(required=False, initial=make_stamp, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The same form may stand on a page twice; labels must still find their own fields.
        kwargs.setdefault("auto_id", f"wei-{secrets.token_hex(4)}-%s")
        super().__init__(*args, **kwargs)

    def clean_email(self) -> str:
        return normalise_address(self.cleaned_data["email"])

    @cached_property
    def version(self) -> ConsentVersion | None:
        """The wording to show: the one that was on the form before, else the current one."""
        consent = tracking_consent()
        if consent is None:
            return None
        return self.posted_version or current_version(consent)

    @cached_property
    def posted_version(self) -> ConsentVersion | None:
        """The wording that came back with the form; None if it is none of the tracking consent."""
        text = self.data.get("wording", "")
        if not (text.isascii() and text.isdecimal() and len(text) < MAX_DIGITS):
            return None
        versions = ConsentVersion.objects.filter(consent__code=app_settings.tracking_consent)
        return versions.filter(pk=int(text)).first()

    @property
    def agreed_version(self) -> ConsentVersion | None:
        """The wording that was ticked, exactly as shown; None without a tick."""
        return self.posted_version if self.cleaned_data["agrees"] else None

    @property
    def is_from_a_program(self) -> bool:
        """The field that nobody sees was filled in, or the form never came from us."""
        return bool(self.cleaned_data["trap"]) or self._started is None

    @property
    def came_too_soon(self) -> bool:
        """Most programs are this fast; so is a person whose browser fills the form in."""
        return self._started is not None and time.time() - self._started < MIN_SECONDS

    @property
    def _started(self) -> float | None:
        try:
            return float(signing.loads(self.cleaned_data["started"], salt=STAMP_SALT))
        except signing.BadSignature:
            return None


class UnsubscribeForm(forms.Form):
    """Asks what to leave when there is a choice, and why, which nobody has to say."""

    LISTS = "lists"
    EVERYTHING = "everything"
    TRACKING = "tracking"

    scope = forms.ChoiceField(
        choices=[(LISTS, LISTS), (EVERYTHING, EVERYTHING), (TRACKING, TRACKING)]
    )

    @property
    def why(self) -> str:
        """The LeavingReason, or nothing; whatever else came is nothing too, and stops nobody."""
        reason = self.data.get("why", "")
        return reason if reason in LeavingReason.values else ""

    @property
    def only_tracking(self) -> bool:
        return self.cleaned_data["scope"] == self.TRACKING

    @property
    def everything(self) -> bool:
        return self.cleaned_data["scope"] == self.EVERYTHING


def form_context(
    recipient_list: RecipientList, form: SubscribeForm | None = None
) -> dict[str, Any]:
    """Return what the template of the form needs; a fresh form unless one is given."""
    return {
        "form": form or SubscribeForm(),
        "recipient_list": recipient_list,
        "action": reverse("wagtail_email_insights:subscribe", args=[recipient_list.slug]),
    }
