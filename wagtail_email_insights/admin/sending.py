"""The way of an e-mail to its readers: choose, look at the numbers, confirm, watch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin import messages
from wagtail.log_actions import log
from wagtail.models import Site

from ..conf import app_settings
from ..emails.models import Email
from ..mail import MailError
from ..mailings import audience
from ..mailings.models import (
    OPEN_STATES,
    Delivery,
    DeliveryState,
    Mailing,
    MailingState,
    SkipReason,
)
from ..mailings.queries import progress as progress_of
from ..mailings.queries import time_left
from ..sending import actions
from ..sending.actions import NotPossible, NotReady
from ..sending.experiments import problems_with_variants
from ..sending.resends import can_be_resent
from ..sending.watchdog import stall_of
from ..sending.winners import declare_winner
from ..site_settings.queries import identity, sender
from . import experiments, resends
from .addresses import email_url, mailing_url
from .pages import EmailPage
from .permissions import SEND, VIEW_STATISTICS, has
from .sending_forms import MAX_VARIANTS, MailingForm, TestForm

UNSETTLED_SHOWN = 50


class SendPage(EmailPage):
    """Choose who gets the e-mail; leads to the review of a draft mailing."""

    required_permission = SEND
    page_title = gettext_lazy("Send")
    template_name = "wagtail_email_insights/admin/mailings/send.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        running = self.email.mailings.filter(state__in=OPEN_STATES).first()
        if running:
            return redirect(mailing_url("mailing", running))
        return self._show(MailingForm(instance=self._draft()))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = MailingForm(request.POST, instance=self._draft())
        if not form.is_valid():
            return self._show(form, status=422)
        return redirect(mailing_url("mailing", self._save(form)))

    @transaction.atomic
    def _save(self, form: MailingForm) -> Mailing:
        chosen = form.save(commit=False)
        chosen.site = Site.find_for_request(self.request)
        chosen.created_by = self.request.user
        chosen.save()
        form.save_m2m()
        form.save_variants()
        return chosen

    def _show(self, form: MailingForm, status: int = 200) -> HttpResponse:
        context = self.get_context_data(
            form=form,
            test_form=TestForm(initial={"addresses": self.request.user.email}),  # type: ignore[union-attr]
            test_url=email_url("send_test", self.email),
            sender=sender(Site.find_for_request(self.request)),
        )
        return self.render_to_response(context, status=status)

    def _draft(self) -> Mailing:
        """Return the mailing that was begun and not sent: half-done work is picked up again.

        A resend has a screen of its own.
        """
        drafts = self.email.mailings.filter(state=MailingState.DRAFT, resend_of=None)
        return drafts.order_by("-id").first() or Mailing(email=self.email)


class TestSend(EmailPage):
    """Send the e-mail as it is saved to a few addresses, untracked."""

    required_permission = SEND

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = TestForm(request.POST)
        if form.is_valid():
            self._send(form.cleaned_data["addresses"])
        else:
            for error in form.errors["addresses"]:
                messages.error(request, error)
        return redirect(email_url("send", self.email))

    def _send(self, addresses: list[str]) -> None:
        newest = self.email.get_latest_revision_as_object()
        try:
            actions.send_test(newest, addresses, site=Site.find_for_request(self.request))
        except (MailError, NotReady) as error:
            messages.error(self.request, _("The test was not sent: %s") % error)
        else:
            sent = ngettext(
                "A test is on its way to %s.", "Tests are on their way to %s.", len(addresses)
            )
            messages.success(self.request, sent % ", ".join(addresses))


class MailingPage(EmailPage):
    """One mailing in whatever state it is: review, scheduled, running, sent."""

    required_permission = SEND
    template_name = "wagtail_email_insights/admin/mailings/mailing.html"

    @cached_property
    def mailing(self) -> Mailing:
        return get_object_or_404(
            Mailing.objects.select_related("email", "site", "revision", "sender", "resend_of"),
            pk=self.kwargs["pk"],
        )

    @cached_property
    def email(self) -> Email:
        return self.mailing.email

    def get_page_title(self) -> str:
        if self.mailing.state == MailingState.DRAFT:
            return _("Check and send")
        # The state changes while the page is open; the title does not.
        return _("Mailing")

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context |= {
            "mailing": self.mailing,
            "state": self.mailing.state,
            "statistics_url": email_url("statistics", self.email)
            if has(self.request.user, VIEW_STATISTICS)
            else "",
            "copy_url": email_url("copy", self.email),
            "act": {verb: mailing_url("mailing_act", self.mailing, verb) for verb in VERBS},
            "resend_url": self._resend_url(),
        }
        if self.mailing.has_started:
            return context | progress_context(self.mailing)
        return context | review_context(self.mailing)

    def _resend_url(self) -> str:
        """Return where a resend of this mailing, or this resend, is put together; else empty."""
        if can_be_resent(self.mailing):
            return mailing_url("mailing_act", self.mailing, RESEND)
        original = self.mailing.resend_of
        return mailing_url("mailing_act", original, RESEND) if original else ""


class MailingProgress(MailingPage):
    template_name = "wagtail_email_insights/admin/mailings/progress.html"


class MailingAct(MailingPage):
    """Do one of the verbs with the mailing; POST only."""

    def post(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        if verb not in VERBS:
            raise Http404
        try:
            VERBS[verb](self.mailing)
        except NotReady as error:
            for problem in error.problems:
                messages.error(request, problem)
        except NotPossible:
            messages.warning(
                request, _("That is no longer possible: the mailing has moved on meanwhile.")
            )
        else:
            self._log(verb)
        self.mailing.refresh_from_db()
        if self.mailing.state == MailingState.DRAFT and verb == "cancel":
            messages.success(
                request, _("The schedule is cancelled; the e-mail can be edited again.")
            )
            return redirect(email_url("edit", self.email))
        return redirect(mailing_url("mailing", self.mailing))

    def get(self, request: HttpRequest, pk: int, verb: str = "") -> HttpResponse:
        return redirect(mailing_url("mailing", self.mailing))

    def _log(self, verb: str) -> None:
        name, _dash, variant = verb.partition("-")
        log(
            instance=self.email,
            action=f"wagtail_email_insights.{name}",
            user=self.request.user,
            data={"mailing": self.mailing.pk} | ({"variant": variant} if variant else {}),
        )


def review_context(mailing: Mailing) -> dict[str, Any]:
    """Return what an editor has to see before saying yes."""
    numbers = audience.numbers(mailing)
    problems = actions.problems_before_sending(mailing) + problems_with_variants(mailing)
    return {
        "numbers": numbers,
        "skipped": _reasons(numbers.skipped),
        "problems": list(dict.fromkeys(problems)),
        "doubts": actions.doubts_before_sending(mailing),
        "sender": identity(mailing.site, mailing.sender).from_email,
        "lists": list(mailing.recipient_lists.all()),
        "segments": list(mailing.segments.all()),
        "excluded_segments": list(mailing.excluded_segments.all()),
        **experiments.review_context(mailing, numbers.due),
    }


def progress_context(mailing: Mailing) -> dict[str, Any]:
    """Return how far a mailing is, with the copies somebody may have to look after."""
    progress = progress_of(mailing)
    troubled: list[Delivery] = []
    if progress.failed or progress.uncertain:
        troubled = list(
            mailing.deliveries.filter(state__in=[DeliveryState.FAILED, DeliveryState.UNCERTAIN])
            .select_related("contact")
            .order_by("pk")[:UNSETTLED_SHOWN]
        )
    return {
        "progress": progress,
        "percent": int(progress.settled_share * 100),
        "skipped": _reasons(progress.skipped_by_reason),
        "troubled": troubled,
        "is_running": mailing.state in (MailingState.PREPARING, MailingState.SENDING),
        "time_left": time_left(mailing, progress)
        if mailing.state == MailingState.SENDING
        else None,
        "stall": stall_of(mailing),
        "progress_url": mailing_url("mailing_progress", mailing),
        "refresh_seconds": app_settings.refresh_seconds,
        "test": next(iter(experiments.tests_of([mailing])), None),
    }


def _reasons(skipped: dict[SkipReason, int]) -> list[tuple[str, int]]:
    return [(str(reason.label), number) for reason, number in skipped.items()]


def _send_or_schedule(mailing: Mailing) -> None:
    if mailing.scheduled_at:
        actions.schedule(mailing, mailing.scheduled_at)
    else:
        actions.start(mailing)


RESEND = "resend"

VERBS: dict[str, Callable[[Mailing], object]] = {
    "send": _send_or_schedule,
    "pause": actions.pause,
    "resume": actions.resume,
    "cancel": actions.cancel,
    "uncertain_again": actions.send_uncertain_again,
    "uncertain_sent": actions.count_uncertain_as_sent,
    "failed_again": actions.send_failed_again,
    **{
        f"choose-{number}": partial(declare_winner, number=number)
        for number in range(1, MAX_VARIANTS + 1)
    },
}

send = SendPage.as_view()
send_test = TestSend.as_view()
mailing = MailingPage.as_view()
progress = MailingProgress.as_view()
_act = MailingAct.as_view()


def act(request: HttpRequest, pk: int, verb: str) -> HttpResponseBase:
    """Do the verb; a resend needs more than the press of a button and has a screen."""
    view = resends.resend if verb == RESEND else _act
    return view(request, pk=pk, verb=verb)
