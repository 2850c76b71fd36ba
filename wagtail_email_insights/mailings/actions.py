"""What can be done to a mailing apart from sending it."""

from __future__ import annotations

from django.db import transaction

from .models import Mailing, MailingState


@transaction.atomic
def erase(mailing: Mailing) -> None:
    """Delete a mailing with its copies, links and figures, on purpose and for good.

    Ordinary deletion refuses a mailing that was begun (see ``guards``): after this, the links in
    people's mailboxes lead nowhere and their unsubscribe links do nothing.
    """
    Mailing.objects.filter(pk=mailing.pk).update(state=MailingState.DRAFT, started_at=None)
    Mailing.objects.get(pk=mailing.pk).delete()
