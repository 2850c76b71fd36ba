"""Whether somebody works, and whether what is sent leads back to this site."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.apps import apps
from django.core.checks import WARNING, run_checks
from django.db.models import Exists, OuterRef
from django.utils import timezone
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
from .wording import number, time_since

LATE = timedelta(minutes=5)
"""The reaper is due every minute."""

OURS = "wagtail_email_insights."


def check_worker(site: Site | None) -> Result:
    """Look for work that nobody does, and for a task that somebody has really finished lately."""
    if stalls := watchdog.stalls():
        return Result(
            State.BROKEN,
            _("Nobody has worked on “%(email)s” for %(time)s.")
            % {"email": stalls[0].mailing.email, "time": time_since(stalls[0].since)},
            _("Start the cluster: manage.py qcluster."),
        )
    if not apps.is_installed("django_q"):
        return Result(
            State.ATTENTION,
            _("There is no queue here, so whether anybody works cannot be seen."),
            _("See that cron calls manage.py email_insights run_due every minute."),
        )
    return _of_last_task(_last_stopped(success=True), _last_stopped(success=False), _last_called())


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
    mailing = _last_prepared()
    if mailing is None:
        return Result(State.OFF, _("Nothing has been sent yet."))
    links = TrackedLink.objects.filter(mailing=mailing).count()
    has_pixel = MailingContent.objects.filter(mailing=mailing, html__contains=PIXEL_TAG).exists()
    told = _with_pixel(links) if has_pixel else _without_pixel(links)
    told %= {"email": mailing.email, "number": number(links)}
    if links and has_pixel:
        return Result(State.OK, told)
    return Result(
        State.ATTENTION,
        told,
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


def _last_prepared() -> Mailing | None:
    """Return the newest mailing whose content is frozen: one that still prepares has no links."""
    contents = MailingContent.objects.filter(mailing=OuterRef("pk"))
    started = Mailing.objects.started().filter(Exists(contents), started_at__isnull=False)
    return started.select_related("email").first()


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


def _with_pixel(links: int) -> str:
    return ngettext(
        "The last mailing, “%(email)s”, has %(number)s tracked link and the pixel.",
        "The last mailing, “%(email)s”, has %(number)s tracked links and the pixel.",
        links,
    )


def _without_pixel(links: int) -> str:
    return ngettext(
        "The last mailing, “%(email)s”, has %(number)s tracked link and no pixel.",
        "The last mailing, “%(email)s”, has %(number)s tracked links and no pixel.",
        links,
    )


def _of_last_task(
    finished: datetime | None, failed: datetime | None, called: datetime | None
) -> Result:
    """Judge by when a task of ours last succeeded and failed, and was last called for."""
    since = timezone.now() - LATE
    if failed and failed > max(finished or since, since):
        return _failing(failed)
    if finished and finished > since:
        return Result(State.OK, _("A worker last finished a task %s ago.") % time_since(finished))
    if called and called > since:
        return _only_called(called)
    return _nobody_seen(max(filter(None, (finished, failed, called)), default=None))


def _failing(failed: datetime) -> Result:
    return Result(
        State.ATTENTION,
        _("Tasks fail: the last one %s ago, and none was seen to succeed since.")
        % time_since(failed),
        _("Look at the failed tasks in the Django admin, or into the log of the cluster."),
    )


def _nobody_seen(latest: datetime | None) -> Result:
    start = _("Start it with manage.py qcluster, unless cron calls run_due instead.")
    if latest is None:
        return Result(State.ATTENTION, _("No worker has been seen at work yet."), start)
    told = _("No worker has been seen at work for %s.") % time_since(latest)
    return Result(State.ATTENTION, told, start)


def _only_called(called: datetime) -> Result:
    from django_q.conf import Conf

    if Conf.SAVE_LIMIT < 0:
        return Result(
            State.OK,
            _("The cluster last called for work %s ago; whether it was done is not kept.")
            % time_since(called),
        )
    return Result(
        State.ATTENTION,
        _("The cluster calls for work, but no worker was seen to finish any of it lately."),
        _("If it was started just now, look again in a minute; else restart it and read its log."),
    )


def _last_stopped(*, success: bool) -> datetime | None:
    """Return when a task of ours last ended well, or failed; None where no trace of one is kept."""
    from django_q.models import Task

    tasks = Task.objects.filter(func__startswith=OURS, success=success).order_by("-stopped")
    return tasks.values_list("stopped", flat=True).first()


def _last_called() -> datetime | None:
    """Return when a cluster last called the reaper; None where none ever did.

    A schedule that ``migrate`` has just made is due at once, but names no task yet.
    """
    from django_q.models import Schedule

    heard = Schedule.objects.filter(func=REAP_TASK).exclude(task=None).order_by("-next_run")
    schedule = heard.first()
    return schedule and schedule.next_run - timedelta(minutes=schedule.minutes or 1)


CHECKS = [
    Check("worker", gettext_lazy("The queue is working"), check_worker),
    Check("base_url", gettext_lazy("Links lead back to this site"), check_base_url),
    Check("links", gettext_lazy("Links and opens are tracked"), check_links),
    Check("system", gettext_lazy("The settings are sound"), check_system),
]
