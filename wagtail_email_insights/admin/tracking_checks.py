"""Checks of tracking that need to know of forms and of feedback."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.apps import apps
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import Site

from ..conf import app_settings
from ..contacts.models import RecipientList
from ..feedback import visits
from ..feedback.models import SeenReport
from ..feedback.visits import Visit
from ..mailings.models import Mailing
from ..statistics.tracking_check import Check, Result, State
from ..statistics.wording import number, time_since
from ..subscriptions.forms import SubscribeForm
from ..tracking import totals

LATE = timedelta(hours=1)
"""Mailboxes are due every five minutes."""

MANY = 2000
"""Copies of which not a single one comes back only if nobody reports it."""

MAILINGS = 50
"""The newest that are looked at: a screen does not count for long."""


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
    seen = [(mailbox.get("host", "?"), visits.last(mailbox)) for mailbox in app_settings.mailboxes]
    if trouble := _trouble(seen):
        return trouble
    latest = SeenReport.objects.order_by("-seen_at").values_list("seen_at", flat=True).first()
    if latest:
        return _of_last_report(latest, sent_since=_sent_since(latest))
    if seen:
        return _nothing_yet([visit for _host, visit in seen])
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


def _of_last_report(latest: datetime, *, sent_since: int) -> Result:
    told = _("The last bounce, report or reply came in %s ago.") % time_since(latest)
    if sent_since < MANY:
        return Result(State.OK, told)
    silence = _("Since then, %(number)s copies were sent and nothing came back.")
    return Result(
        State.ATTENTION,
        f"{told} {silence % {'number': number(sent_since)}}",
        _("Of so many, a few usually bounce: see whether your provider or mailbox still reports."),
    )


def _sent_since(moment: datetime) -> int:
    """Return how many copies went out later; of the last day's, nobody expects anything yet."""
    later = Mailing.objects.started().filter(
        started_at__gt=moment, finished_at__lt=timezone.now() - timedelta(days=1)
    )
    rows = totals.totals_of(list(later.values_list("pk", flat=True)[:MAILINGS]))
    return sum(row.sent for row in rows.values())


def _trouble(seen: list[tuple[str, Visit | None]]) -> Result | None:
    """Return what is wrong with the first mailbox that could not be read, or that nobody reads."""
    for host, visit in seen:
        if visit and not visit.success:
            return Result(
                State.ATTENTION,
                _("The mailbox at %(host)s could not be read when it was last tried, %(time)s ago.")
                % {"host": host, "time": time_since(visit.at)},
                _("Correct the setting mailboxes; the log of the worker says what is wrong."),
            )
        if visit and timezone.now() - visit.at > LATE:
            return Result(
                State.ATTENTION,
                _("Nobody has looked into the mailbox at %(host)s for %(time)s.")
                % {"host": host, "time": time_since(visit.at)},
                _("See that a worker runs, and look into its log."),
            )
    return None


def _nothing_yet(visits_paid: list[Visit | None]) -> Result:
    known = [visit.at for visit in visits_paid if visit]
    if len(known) < len(visits_paid):
        return Result(
            State.ATTENTION,
            _(
                "A mailbox is set up, but nothing has come from it yet, and whether it can be read "
                "is not known here."
            ),
            _("If bounces should have come, see that a worker runs, and look into its log."),
        )
    return Result(
        State.OK,
        _("The mailbox was last read %s ago; no bounce, report or reply has been in it yet.")
        % time_since(min(known)),
    )


FORMS = [Check("forms", gettext_lazy("Forms ask for it"), check_forms)]
FEEDBACK = [Check("feedback", gettext_lazy("Bounces and replies come back"), check_feedback)]
