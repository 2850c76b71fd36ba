"""Whether somebody works, and whether what is sent leads back to this site."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.apps import apps
from django.core.checks import WARNING, run_checks
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.models import Site

from .. import tokens
from ..mailings.models import Mailing, MailingContent
from ..sending import watchdog
from ..sending.addresses import Addresses
from ..sending.preparing import PIXEL_TAG
from ..sending.schedules import REAP_TASK
from ..site_settings.queries import base_url
from ..tokens import Kind
from ..tracking.models import TrackedLink
from .fetching import Answer, Unreachable, fetch
from .tracking_check import Check, Result, State
from .wording import number

LATE = timedelta(minutes=5)
"""The reaper is due every minute."""

OURS = "wagtail_email_insights."


def check_worker(site: Site | None) -> Result:
    """Look for work that nobody does, and for an alarm clock that nobody hears."""
    if stalls := watchdog.stalls():
        return Result(
            State.BROKEN,
            _("Nobody has worked on “%(email)s” for %(time)s.")
            % {"email": stalls[0].mailing.email, "time": timesince(stalls[0].since)},
            _("Start the cluster: manage.py qcluster."),
        )
    due = _reaper_due()
    if due is None or timezone.now() - due > LATE:
        return Result(
            State.ATTENTION,
            _("No cluster has called for work in the last minutes."),
            _("Start it with manage.py qcluster, unless cron calls run_due instead."),
        )
    return Result(State.OK, _("No work is overdue: the worker process looks for it every minute."))


def check_base_url(site: Site | None) -> Result:
    """Fetch a pixel of our own, the way a mail program would."""
    root = base_url(site)
    if not root.startswith(("http://", "https://")):
        return Result(
            State.BROKEN,
            _("There is no address that links in e-mails could begin with."),
            _("Enter it in the email settings, or give the site its host name."),
            "email_settings",
        )
    # Of a mailing that cannot exist: it is answered like any other and counts nowhere.
    token = tokens.make(Kind.OPEN_ANONYMOUS, 0, 0, 0)
    address = token.join(Addresses(root).around("open"))
    try:
        answer = fetch(address)
    except Unreachable as error:
        return Result(
            State.ATTENTION,
            _("%(address)s could not be reached from this server: %(error)s")
            % {"address": root, "error": error},
            _("If readers reach it nevertheless, all is well; else correct the address."),
            "email_settings",
        )
    return _judged(answer, root)


def check_links(site: Site | None) -> Result:
    """Look at what the last mailing carried."""
    mailing = Mailing.objects.started().select_related("email").first()
    if mailing is None:
        return Result(State.OFF, _("Nothing has been sent yet."))
    links = TrackedLink.objects.filter(mailing=mailing).count()
    has_pixel = MailingContent.objects.filter(mailing=mailing, html__contains=PIXEL_TAG).exists()
    told = ngettext(
        "The last mailing, “%(email)s”, has %(number)s tracked link",
        "The last mailing, “%(email)s”, has %(number)s tracked links",
        links,
    ) % {"email": mailing.email, "number": number(links)}
    end = _("and the pixel.") if has_pixel else _("and no pixel.")
    if links and has_pixel:
        return Result(State.OK, f"{told} {end}")
    return Result(
        State.ATTENTION,
        f"{told} {end}",
        _("See that the e-mail has links, and that they are not marked “do not track”."),
    )


def check_system(site: Site | None) -> Result:
    """Repeat what ``manage.py check`` has to say about this app."""
    found = [
        message
        for message in run_checks()
        if str(message.id).startswith(OURS) and not message.is_silenced()
    ]
    if not found:
        return Result(State.OK, _("The system checks find nothing wrong."))
    is_error = any(message.level > WARNING for message in found)
    return Result(
        State.BROKEN if is_error else State.ATTENTION,
        " ".join(str(message.msg) for message in found),
        " ".join(str(message.hint) for message in found if message.hint),
    )


def _judged(answer: Answer, root: str) -> Result:
    if answer.status == 200 and answer.content_type == "image/gif":
        return Result(State.OK, _("%s leads to this site: a trial pixel came back.") % root)
    if answer.content_type == "image/gif":
        return Result(
            State.BROKEN,
            _("%s leads to another installation, or one with another SECRET_KEY.") % root,
            _("All hosts behind one address need the same SECRET_KEY."),
        )
    return Result(
        State.BROKEN,
        _("%(address)s does not lead to the addresses of this app (answer %(status)s).")
        % {"address": root, "status": answer.status},
        _("Correct the address of links in the email settings, or the URLs of the site."),
        "email_settings",
    )


def _reaper_due() -> datetime | None:
    """Return when the reaper is next called; None where there is no queue to call it."""
    if not apps.is_installed("django_q"):
        return None
    from django_q.models import Schedule

    due = Schedule.objects.filter(func=REAP_TASK).order_by("next_run")
    return due.values_list("next_run", flat=True).first()


CHECKS = [
    Check("worker", gettext_lazy("The queue is working"), check_worker),
    Check("base_url", gettext_lazy("Links lead back to this site"), check_base_url),
    Check("links", gettext_lazy("Links and opens are tracked"), check_links),
    Check("system", gettext_lazy("The settings are sound"), check_system),
]
