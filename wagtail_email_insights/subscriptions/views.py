"""The public pages: HTTP in, HTTP out. What is done stands in ``flows``.

Reading a page changes nothing, whoever reads it: link scanners follow every address in a mail.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from wagtail.models import Site

from ..contacts.models import RecipientList
from ..mail import MailError
from ..tokens import TokenError
from ..tracking import pages
from ..tracking.models import LeavingReason
from ..tracking.responses import not_found
from . import confirmations, departures, flows, limits
from .errors import LinkTooOldError, NothingStoredError
from .forms import SubscribeForm, UnsubscribeForm, form_context

logger = logging.getLogger(__name__)

TEMPLATES = "wagtail_email_insights/subscriptions"


class PublicView(View):
    """A page for anybody: strict headers, and a plain answer when a link leads nowhere."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return pages.harden(self._answer(request, *args, **kwargs))

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except TokenError:
            return not_found()
        except LinkTooOldError:
            return self.page("expired", status=410)
        except NothingStoredError:
            return self.page("nothing_stored")

    def page(self, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
        return pages.page(self.request, f"{TEMPLATES}/{name}.html", status=status, **context)

    @property
    def site(self) -> Site | None:
        return Site.find_for_request(self.request)


class ListView(PublicView):
    """A page about the list named in the address."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.recipient_list = get_object_or_404(RecipientList, slug=kwargs["slug"])


class SubscribeView(ListView):
    """The form by itself; embedded forms send their visitors here too."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.form_page(SubscribeForm())

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        form = SubscribeForm(request.POST)
        if not form.is_valid():
            return self.form_page(form)
        if form.is_from_a_program:
            return self.done()
        if form.came_too_soon:
            return self.refuse(form, 422, _("That was quick. Please press the button once more."))
        if not limits.may_send_form(network_of(request)):
            return self.refuse(form, 429, _("That was a lot of forms. Please try again later."))
        try:
            self.ask(form)
        except MailError:
            logger.exception("A confirmation mail could not be sent")
            return self.refuse(form, 503, _("We cannot send e-mail now. Please try again later."))
        return self.done()

    def ask(self, form: SubscribeForm) -> None:
        flows.ask(
            self.recipient_list,
            form.cleaned_data["email"],
            first_name=form.cleaned_data["first_name"],
            version=form.agreed_version,
            source=source_of(self.request),
            language=get_language() or "",
            site=self.site,
        )

    def refuse(self, form: SubscribeForm, status: int, message: str) -> HttpResponse:
        form.add_error(None, message)
        return self.form_page(form, status=status)

    def form_page(self, form: SubscribeForm, *, status: int = 200) -> HttpResponse:
        return self.page("subscribe", status=status, **form_context(self.recipient_list, form))

    def done(self) -> HttpResponseRedirectBase:
        return redirect("wagtail_email_insights:subscribe_done", slug=self.recipient_list.slug)


class SubscribeDoneView(ListView):
    """The same words for every address, known or not."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.page("subscribe_done", recipient_list=self.recipient_list)


class ConfirmView(PublicView):
    """Shows what will be confirmed; the button confirms it."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        confirmation = confirmations.find(token)
        name = "confirmed" if confirmation.is_done else "confirm"
        return self.about(name, confirmation)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        confirmation = confirmations.find(token)
        flows.confirm(confirmation, site=self.site)
        return self.about("confirmed", confirmation)

    def about(self, name: str, confirmation: confirmations.Confirmation) -> HttpResponse:
        recipient_list = confirmation.subscription.recipient_list
        return self.page(name, confirmation=confirmation, recipient_list=recipient_list)


class UnsubscribeView(PublicView):
    """Asks what to leave; the button leaves it."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        departure = departures.find(token)
        if departure.has_left_everything:
            return self.about("unsubscribed", departure)
        return self.ask(departure)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        departure = departures.find(token)
        form = UnsubscribeForm(request.POST)
        if not form.is_valid():
            return self.ask(departure)
        if form.only_tracking:
            flows.take_back_consent(departure)
            return self.about("consent_withdrawn", departure)
        everything = form.everything or departure.is_only_everything
        was_gone = departure.has_left_everything
        left = flows.leave(departure, everything=everything, why=form.why)
        is_new = bool(left) or (everything and not was_gone)
        return self.about(
            "unsubscribed", departure, left=left, everything=everything, is_new=is_new
        )

    def ask(self, departure: departures.Departure) -> HttpResponse:
        return self.about("unsubscribe", departure, reasons=LeavingReason.choices)

    def about(self, name: str, departure: departures.Departure, **context: Any) -> HttpResponse:
        email = departures.masked(departure.contact.email)
        return self.page(name, departure=departure, email=email, **context)


@method_decorator(csrf_exempt, name="dispatch")
class OneClickView(PublicView):
    """RFC 8058: the mail service's own unsubscribe button sends this, without any cookie."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        departures.find(token)
        return redirect("wagtail_email_insights:unsubscribe", token=token)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        departure = departures.find(token)
        if request.POST.get("List-Unsubscribe") != "One-Click":
            return HttpResponseBadRequest("List-Unsubscribe=One-Click expected", "text/plain")
        flows.leave(departure)
        return HttpResponse(_("You have been unsubscribed."), "text/plain; charset=utf-8")


def network_of(request: HttpRequest) -> str:
    return limits.network_of(
        request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
    )


def source_of(request: HttpRequest) -> str:
    """Return which page the form stood on, as far as the browser tells: ``form: /news/``."""
    try:
        url = urlsplit(request.META.get("HTTP_REFERER", ""))
    except ValueError:
        return "form"
    path = "".join(filter(str.isprintable, url.path))
    if url.netloc != request.get_host() or not path:
        return "form"
    return f"form: {path}"[: flows.MAX_SOURCE]
