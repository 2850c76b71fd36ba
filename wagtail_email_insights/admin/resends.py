"""Once more, to those who did not click: the numbers, the subject, and on to the review."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages

from ..emails import merge_tags
from ..emails.models import Email
from ..mailings.models import Mailing, MailingState
from ..sending import resends
from ..sending.experiments import subject_of
from ..sending.transitions import NotPossible
from .addresses import mailing_url
from .pages import EmailPage
from .permissions import SEND


class ResendForm(forms.Form):
    """Another subject for the second attempt."""

    subject = forms.CharField(
        label=gettext_lazy("Subject"),
        max_length=200,
        help_text=gettext_lazy("The same subject again is easily overlooked again."),
    )

    def clean_subject(self) -> str:
        subject = " ".join(self.cleaned_data["subject"].split())
        if problems := merge_tags.problems(subject):
            raise forms.ValidationError(list(problems))
        return subject


class ResendPage(EmailPage):
    """Who would be reached by a resend; POST makes a draft of it and leads to its review."""

    required_permission = SEND
    page_title = gettext_lazy("Resend to those who did not click")
    template_name = "wagtail_email_insights/admin/mailings/resend.html"

    @cached_property
    def original(self) -> Mailing:
        return get_object_or_404(Mailing.objects.select_related("email"), pk=self.kwargs["pk"])

    @cached_property
    def email(self) -> Email:
        return self.original.email

    def get(self, request: HttpRequest, pk: int, **kwargs: Any) -> HttpResponse:
        begun = resends.current(self.original)
        if begun and begun.state != MailingState.DRAFT:
            return redirect(mailing_url("mailing", begun))
        if not resends.can_be_resent(self.original):
            return redirect(mailing_url("mailing", self.original))
        return self._show(ResendForm(initial={"subject": self._subject(begun)}))

    def post(self, request: HttpRequest, pk: int, **kwargs: Any) -> HttpResponse:
        form = ResendForm(request.POST)
        if not form.is_valid():
            return self._show(form, status=422)
        try:
            resend = resends.draft_resend(
                self.original, subject=form.cleaned_data["subject"], by=request.user
            )
        except NotPossible:
            messages.warning(request, _("This mailing cannot be resent, or it is already."))
            return redirect(mailing_url("mailing", self.original))
        return redirect(mailing_url("mailing", resend))

    def _subject(self, begun: Mailing | None) -> str:
        chosen = begun.variants.first() if begun else None
        return subject_of(chosen) if chosen else resends.subject_for(self.original)

    def _show(self, form: ResendForm, status: int = 200) -> HttpResponse:
        context = self.get_context_data(
            form=form,
            numbers=resends.numbers(self.original),
            mailing_url=mailing_url("mailing", self.original),
        )
        return self.render_to_response(context, status=status)


resend = ResendPage.as_view()
