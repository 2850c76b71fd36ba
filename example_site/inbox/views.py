"""The inbox on the screen. A mail is somebody else's HTML: it is shown caged."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe
from django.views.generic import DetailView, ListView

from .models import CaughtMail, CaughtMailQuerySet
from .readers import readers_of
from .reading import headers_of, page_of, text_of

# What a link in a mail needs in order to open a new tab; scripts, forms and our cookies it lacks.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
CONTENT_POLICY = (
    "default-src 'none'; img-src * data:; style-src * 'unsafe-inline'; font-src *; "
    f"form-action 'none'; sandbox {SANDBOX}"
)


class InboxView(ListView):
    """Caught mails, newest first."""

    template_name = "inbox/list.html"
    context_object_name = "mails"
    paginate_by = 50

    def get_queryset(self) -> CaughtMailQuerySet:
        return CaughtMail.objects.matching(self.words).defer("raw")

    @property
    def words(self) -> str:
        return self.request.GET.get("q", "").strip()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(words=self.words, **kwargs)
        readers = readers_of(mail.recipient for mail in context["mails"])
        context["lines"] = [(mail, readers.get(mail.recipient)) for mail in context["mails"]]
        return context


class MailView(DetailView):
    """One mail as its reader sees it, in a frame without any rights."""

    model = CaughtMail
    context_object_name = "mail"
    template_name = "inbox/mail_html.html"
    tab = "html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        address = self.object.recipient
        return super().get_context_data(
            tab=self.tab, sandbox=SANDBOX, reader=readers_of([address]).get(address), **kwargs
        )


class TextView(MailView):
    """The text part: what a reader without HTML gets."""

    template_name = "inbox/mail_text.html"
    tab = "text"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(text=text_of(self.object.message), **kwargs)


class HeadersView(MailView):
    """Every header in the order it came in."""

    template_name = "inbox/mail_headers.html"
    tab = "headers"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(headers=headers_of(self.object.message), **kwargs)


@require_safe
@xframe_options_sameorigin
def content(request: HttpRequest, pk: int) -> HttpResponse:
    """The mail's own HTML, for the frame; caged by its policy even when opened by itself."""
    mail = get_object_or_404(CaughtMail, pk=pk)
    response = HttpResponse(page_of(mail.message))
    response["Content-Security-Policy"] = CONTENT_POLICY
    return response


@require_POST
def empty(request: HttpRequest) -> HttpResponse:
    """Throw every caught mail away."""
    count, _rows = CaughtMail.objects.all().delete()
    messages.success(
        request,
        ngettext("%(count)d mail thrown away.", "%(count)d mails thrown away.", count)
        % {"count": count},
    )
    return redirect("inbox:list")
