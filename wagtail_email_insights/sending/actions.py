"""The verbs of sending: what an editor, a task or a host's own code can do with a mailing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import Site

from .. import mail, queue
from ..emails.merge_tags import SAMPLE_VALUES, fill
from ..emails.models import Email
from ..emails.rendering import render_email
from ..emails.validation import problems_with
from ..mailings import audience
from ..mailings.models import DeliveryState, Mailing, MailingState
from ..site_settings.queries import base_url, identity, sender
from ..tracking import totals
from . import transitions
from .experiments import problems_with_variants
from .preparing import content_of
from .transitions import NotPossible, move

UNTOUCHED_ADDRESSES = ("http://localhost", "http://example.com", "")
"""What links start with on a site whose address nobody has entered yet."""

NOT_STARTED = (MailingState.DRAFT, MailingState.SCHEDULED)
WORK_TASK = "wagtail_email_insights.sending.tasks.work"


class NotReady(Exception):
    """The mailing cannot be sent as it is; ``problems`` says why, in sentences for the editor."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)


def problems_before_sending(mailing: Mailing) -> list[str]:
    """Return what stands in the way of sending, in sentences for the editor; empty if nothing."""
    problems = problems_with(content_of(mailing)) + problems_with_variants(mailing)
    if mailing.email.workflow_in_progress:
        problems.append(_("This e-mail is waiting for approval."))
    if not identity(mailing.site, mailing.sender).from_email:
        problems.append(_("There is no sender address. Enter one in the email settings."))
    if not audience.numbers(mailing).due:
        problems.append(_("Nobody would get this e-mail: choose other lists or segments."))
    return problems


def doubts_before_sending(mailing: Mailing) -> list[str]:
    """Return what looks wrong but may be meant, in sentences for the editor."""
    doubts = []
    if base_url(mailing.site) in UNTOUCHED_ADDRESSES:
        doubts.append(
            _(
                "Links in this e-mail lead to “%(address)s”, which readers cannot reach. Enter the "
                "real host name and port of this site under Settings → Sites."
            )
            % {"address": base_url(mailing.site)}
        )
    if identity(mailing.site, mailing.sender).from_email.endswith("@localhost"):
        doubts.append(_("The sender address is not a real one. Enter one in the email settings."))
    return doubts


@transaction.atomic
def start(mailing: Mailing) -> None:
    """Send now: freezes the revision and wakes the queue; raises NotReady or NotPossible."""
    _freeze_revision(mailing)
    move(
        mailing,
        of=NOT_STARTED,
        to=MailingState.PREPARING,
        started_at=timezone.now(),
        revision=mailing.revision,
    )
    queue.enqueue(WORK_TASK, mailing.pk)


@transaction.atomic
def schedule(mailing: Mailing, at: datetime) -> None:
    """Send at a later time; also moves an earlier schedule. Raises NotReady or NotPossible."""
    if at <= timezone.now():
        raise NotReady([_("Choose a time in the future.")])
    _freeze_revision(mailing)
    move(
        mailing,
        of=NOT_STARTED,
        to=MailingState.SCHEDULED,
        scheduled_at=at,
        revision=mailing.revision,
    )


def pause(mailing: Mailing) -> None:
    """Stop sending until ``resume``; raises NotPossible."""
    transitions.pause(mailing)


@transaction.atomic
def resume(mailing: Mailing) -> None:
    """Go on with a paused mailing; raises NotPossible."""
    move(mailing, of=[MailingState.PAUSED], to=MailingState.SENDING, state_reason="")
    queue.enqueue(WORK_TASK, mailing.pk)


@transaction.atomic
def cancel(mailing: Mailing) -> None:
    """Take a schedule back, or end a running mailing for good; raises NotPossible.

    A scheduled mailing becomes a draft again and its e-mail can be edited. Copies of a running
    one that nobody has claimed yet are skipped; what is sent stays sent.
    """
    if mailing.state == MailingState.SCHEDULED:
        move(
            mailing,
            of=[MailingState.SCHEDULED],
            to=MailingState.DRAFT,
            revision=None,
        )
        return
    move(
        mailing,
        of=[MailingState.PREPARING, MailingState.SENDING, MailingState.PAUSED],
        to=MailingState.CANCELLED,
        finished_at=timezone.now(),
    )
    transitions.skip_waiting(mailing)


@transaction.atomic
def send_uncertain_again(mailing: Mailing) -> int:
    """Have the uncertain copies sent once more and return how many; some may arrive twice.

    Only an editor decides this: nothing uncertain is ever repeated by itself.
    """
    return _requeue(mailing, DeliveryState.UNCERTAIN)


@transaction.atomic
def send_failed_again(mailing: Mailing) -> int:
    """Try the copies once more that the mail server refused, and return how many."""
    return _requeue(mailing, DeliveryState.FAILED)


@transaction.atomic
def count_uncertain_as_sent(mailing: Mailing) -> int:
    """Settle the uncertain copies as sent, and return how many."""
    totals.forget([mailing.pk])
    return mailing.deliveries.filter(state=DeliveryState.UNCERTAIN).update(
        state=DeliveryState.SENT, lease_owner=None
    )


def send_test(email: Email, addresses: Sequence[str], *, site: Site | None) -> None:
    """Send the e-mail as it stands to *addresses*, with sample values, untracked.

    Nothing is recorded and the unsubscribe link leads nowhere. Raises NotReady when the e-mail
    has no sender, mail.MailError when the mail server does not take it.
    """
    from_email = sender(site)
    if not from_email:
        raise NotReady([_("There is no sender address. Enter one in the email settings.")])
    rendered = render_email(email, site=site, unsubscribe_url="#")
    subject = fill(rendered.subject, SAMPLE_VALUES, escape=False)
    for address in addresses:
        values = SAMPLE_VALUES | {"email": address}
        mail.send_transactional(
            subject=_("[Test] %(subject)s") % {"subject": subject},
            text=fill(rendered.text, values, escape=False),
            html=fill(rendered.html, values, escape=True),
            to=address,
            from_email=from_email,
        )


def _requeue(mailing: Mailing, state: DeliveryState) -> int:
    """Put copies in *state* back into the queue, and a finished mailing back to work."""
    # Locked, so that it is not called sent meanwhile.
    mailing.state = Mailing.objects.locked().get(pk=mailing.pk).state
    requeued = mailing.deliveries.filter(state=state).update(
        state=DeliveryState.QUEUED,
        attempts=0,
        lease_owner=None,
        not_before=None,
        settled_at=None,
        error="",
    )
    if requeued and mailing.state == MailingState.SENT:
        move(mailing, of=[MailingState.SENT], to=MailingState.SENDING, finished_at=None)
    if requeued:
        totals.forget([mailing.pk])
        queue.enqueue(WORK_TASK, mailing.pk)
    return requeued


def _freeze_revision(mailing: Mailing) -> None:
    """Pin the newest revision and check that it can be sent.

    A draft is saved without validation, so everything is checked here, at the last moment at
    which somebody is looking.
    """
    if mailing.state not in NOT_STARTED:
        raise NotPossible(f"a mailing that is {mailing.state} cannot be started")
    if mailing.state == MailingState.DRAFT:
        mailing.revision = mailing.email.latest_revision
    problems = problems_before_sending(mailing)
    if problems:
        raise NotReady(problems)


__all__ = [
    "NotPossible",
    "NotReady",
    "cancel",
    "count_uncertain_as_sent",
    "pause",
    "problems_before_sending",
    "resume",
    "schedule",
    "send_failed_again",
    "send_test",
    "send_uncertain_again",
    "start",
]
