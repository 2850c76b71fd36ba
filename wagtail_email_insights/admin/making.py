"""One step from the contacts behind a number to a segment, a list or an e-mail to them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin import messages
from wagtail.log_actions import log
from wagtail.models import Site

from ..contacts.gathering import gather
from ..contacts.models import RecipientList
from ..templatetags.email_insights_admin import number
from . import followups
from .addresses import email_url
from .drilldown import BehindPage


class MakeForm(forms.Form):
    """What to make, and its name."""

    make = forms.ChoiceField(choices=[(code, code) for code in followups.OFFERS])
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)


class MakePage(BehindPage):
    """POST only; looking never makes anything."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, code: str) -> HttpResponse:
        if self.behind.events_removed_at:
            raise Http404
        form = MakeForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Say what it is to be called."))
            return redirect(self.own_url())
        offer = followups.OFFERS[form.cleaned_data["make"]]
        if not request.user.has_perms(offer.permissions):
            raise PermissionDenied
        if not followups.suits(offer, self.code, self.rule):
            raise Http404
        if offer.code not in followups.BY_RULE and _is_taken(form.cleaned_data["name"]):
            messages.error(
                request,
                _(
                    "There is a list of this name already. Choose that one when you send, "
                    "or give another name."
                ),
            )
            return redirect(self.own_url())
        return redirect(getattr(self, f"_{offer.code}")(form.cleaned_data["name"]))

    def _segment(self, name: str) -> str:
        if self.rule is None:
            raise Http404
        segment = followups.make_segment(name, self.rule)
        self._log(segment)
        messages.success(self.request, _("The segment is made. Its rule can be changed here."))
        return reverse("email_segments:edit", args=[segment.pk])

    def _list(self, name: str) -> str:
        gathered = self._gathered(name)
        return f"{reverse('email_contacts:index')}?recipient_list={gathered.pk}"

    def _email(self, name: str) -> str:
        site = Site.find_for_request(self.request)
        email = followups.draft_email(name, self._gathered(name), by=self.request.user, site=site)
        self._log(email)
        return email_url("edit", email)

    def _gathered(self, name: str) -> RecipientList:
        source = _("Statistics of “%(email)s”: %(figure)s") % {
            "email": self.email,
            "figure": self.figure_label,
        }
        gathered = gather(self.behind.contacts, name=name, source=source)
        self._log(gathered)
        self._say_how_many(gathered)
        return gathered

    def _say_how_many(self, gathered: RecipientList) -> None:
        count = gathered.subscriptions.count()
        sentence = ngettext(
            "%(number)s contact is on the new list “%(list)s”.",
            "%(number)s contacts are on the new list “%(list)s”.",
            count,
        )
        messages.success(self.request, sentence % {"number": number(count), "list": gathered})

    def _log(self, made: Any) -> None:
        log(instance=made, action="wagtail.create", user=self.request.user)


def _is_taken(name: str) -> bool:
    """Two lists of one name could not be told apart wherever one is chosen."""
    return RecipientList.objects.filter(name=name).exists()


make = MakePage.as_view()
