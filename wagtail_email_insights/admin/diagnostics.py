"""Findings beside the figures of an e-mail, and silencing one of them there."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.admin import messages
from wagtail.log_actions import LogFormatter, log
from wagtail.models import ModelLogEntry

from ..emails.models import Email
from ..statistics import diagnostics, muting
from .addresses import email_url
from .permissions import APP, VIEW_STATISTICS, RequiresPermission


class Muted(LogFormatter):
    """How the history of an e-mail tells that a finding was silenced, by which name it had."""

    label = gettext_lazy("Mute")
    sentence = gettext_lazy("“%(finding)s” is not shown any more")

    def format_message(self, log_entry: ModelLogEntry) -> str:
        return str(self.sentence) % {"finding": log_entry.data.get("finding", "")}


class Unmuted(Muted):
    label = gettext_lazy("Unmute")
    sentence = gettext_lazy("“%(finding)s” is shown again")


class MuteView(RequiresPermission, View):
    """POST: the diagnostic in the address says nothing about this e-mail any more."""

    required_permission = VIEW_STATISTICS
    http_method_names = ["post"]
    log_action = f"{APP}.mute"

    def post(self, request: HttpRequest, pk: int, code: str) -> HttpResponse:
        email = get_object_or_404(Email, pk=pk)
        known = diagnostics.get(code)
        if known is None:
            raise Http404
        if self.act(email, code, request.user):
            data = {"code": code, "finding": str(known.label)}
            log(instance=email, action=self.log_action, user=request.user, data=data)
        messages.success(request, self.told() % {"finding": known.label, "email": email})
        return redirect(_back(request, email))

    def act(self, email: Email, code: str, user: Any) -> bool:
        """Return whether that changed anything."""
        return muting.mute(email, code, user)

    def told(self) -> str:
        return _("“%(finding)s” is not shown for “%(email)s” any more.")


class UnmuteView(MuteView):
    """POST: it may speak up again."""

    log_action = f"{APP}.unmute"

    def act(self, email: Email, code: str, user: Any) -> bool:
        return muting.unmute(email, code)

    def told(self) -> str:
        return _("“%(finding)s” is shown for “%(email)s” again, if it holds.")


def findings_context(email: Email) -> dict[str, Any]:
    """Return what the template of findings shows; the same number of queries for every e-mail."""
    return {
        "email": email,
        "findings": diagnostics.findings_for(email),
        "muted": [
            {"code": muted.code, "label": known.label, "at": muted.at}
            for muted in muting.muted_of(email)
            if (known := diagnostics.get(muted.code))
        ],
    }


def _back(request: HttpRequest, email: Email) -> str:
    """Return where the button was pressed, if that is on this site; else the statistics."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else email_url("statistics", email)


mute = MuteView.as_view()
unmute = UnmuteView.as_view()
