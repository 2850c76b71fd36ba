"""Leading a link of a sent e-mail to another address, with the history of such corrections."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.log_actions import LogFormatter, log

from ..emails.models import Email
from ..tracking import corrections
from ..tracking.corrections import NotCorrectable
from ..tracking.models import LinkCorrection, TrackedLink
from .addresses import email_url, mailing_url
from .pages import EmailPage
from .permissions import SEND, VIEW_STATISTICS, has

LOG_ACTION = "wagtail_email_insights.correct_link"


class Corrected(LogFormatter):
    """How a correction stands in the history of its e-mail."""

    label = gettext_lazy("Correct a link")

    def format_message(self, log_entry: Any) -> str:
        words = {name: log_entry.data.get(name, "") for name in ("before", "after")}
        return _("A link to %(before)s leads to %(after)s now") % words


class CorrectionForm(forms.Form):
    """The address that a link is to lead to from now on."""

    url = forms.CharField(
        label=gettext_lazy("New address"),
        max_length=2000,
        widget=forms.URLInput,
        help_text=gettext_lazy("The whole address, with https:// in front."),
    )


class CorrectionPage(EmailPage):
    """A link, where it led before, and a form for where it is to lead."""

    required_permission = SEND
    page_title = gettext_lazy("Correct a link")
    header_icon = "link"
    template_name = "wagtail_email_insights/admin/statistics/link.html"

    @cached_property
    def link(self) -> TrackedLink:
        links = TrackedLink.objects.select_related("mailing__email")
        return get_object_or_404(links, pk=self.kwargs["pk"], document_id=None)

    @cached_property
    def email(self) -> Email:
        return self.link.mailing.email

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._show(CorrectionForm(initial={"url": self.link.url}))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = CorrectionForm(request.POST)
        if not form.is_valid():
            return self._show(form, status=422)
        try:
            self._log(corrections.correct(self.link, form.cleaned_data["url"], user=request.user))
        except NotCorrectable as error:
            form.add_error("url", str(error))
            return self._show(form, status=422)
        messages.success(
            request,
            _("Corrected. Copies that were delivered long ago lead to the new address, too."),
        )
        return redirect(self._way_back())

    def _show(self, form: CorrectionForm, status: int = 200) -> HttpResponse:
        context = self.get_context_data(
            form=form,
            link=self.link,
            history=self.link.corrections.select_related("user").order_by("-at", "-pk"),
            way_back=self._way_back(),
        )
        return self.render_to_response(context, status=status)

    def _way_back(self) -> str:
        if has(self.request.user, VIEW_STATISTICS):
            return email_url("statistics", self.email)
        return mailing_url("mailing", self.link.mailing)

    def _log(self, correction: LinkCorrection) -> None:
        data: dict[str, Any] = {
            "mailing": self.link.mailing_id,
            "before": correction.before,
            "after": correction.after,
        }
        log(instance=self.email, action=LOG_ACTION, user=self.request.user, data=data)


correct = CorrectionPage.as_view()
