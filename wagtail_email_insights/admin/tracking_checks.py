"""Checks of tracking that need to know of forms and of feedback."""

from __future__ import annotations

from django.apps import apps
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import Site

from ..conf import app_settings
from ..contacts.models import RecipientList
from ..feedback.models import SeenReport
from ..statistics.tracking_check import Check, Result, State
from ..statistics.wording import time_since
from ..subscriptions.forms import SubscribeForm


def check_forms(site: Site | None) -> Result:
    """Make the form that visitors see, and look whether it asks."""
    lists = RecipientList.objects.count()
    if not lists:
        return Result(
            State.OFF,
            _("There is no recipient list, so there is no form to subscribe with."),
            _("Make a list, and put its form on a page."),
            "lists",
        )
    if SubscribeForm().version is None:
        return Result(
            State.BROKEN,
            _("Subscribe forms do not ask whether a reader may be known."),
            _("Publish a wording of the consent to tracking."),
            "consents",
        )
    return Result(State.OK, _("Subscribe forms ask whether a reader may be known."))


def check_feedback(site: Site | None) -> Result:
    """Look for a source of bounces and spam reports, and when it last told something."""
    latest = SeenReport.objects.order_by("-seen_at").values_list("seen_at", flat=True).first()
    if latest:
        return Result(
            State.OK, _("The last bounce, report or reply came in %s ago.") % time_since(latest)
        )
    if app_settings.mailboxes:
        return Result(State.OK, _("A mailbox for bounces and replies is read; it was empty."))
    if apps.is_installed("anymail"):
        return Result(
            State.ATTENTION,
            _("django-anymail is installed, but no webhook has told anything yet."),
            _("Enter its webhook address at your mail provider."),
        )
    return Result(
        State.OFF,
        _(
            "Nobody tells us of bounces, spam reports and replies: every sent copy counts as "
            "delivered."
        ),
        _("Connect a mailbox or your provider's webhook."),
    )


FORMS = [Check("forms", gettext_lazy("Forms ask for it"), check_forms)]
FEEDBACK = [Check("feedback", gettext_lazy("Bounces and replies come back"), check_feedback)]
