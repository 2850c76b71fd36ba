"""What may not be deleted from under a mailing, whatever screen or code tries to.

A mailing whose list, segment or sender vanished would go to other people or come from somebody
else; copies that are in people's hands need their mailing for its links and for unsubscribing.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model, ProtectedError, Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext as _

from ..contacts.models import RecipientList
from ..emails.models import Email
from ..segments.models import Segment
from ..site_settings.models import Sender
from .models import OPEN_STATES, Mailing, MailingState


def may_be_deleted(mailing: Mailing) -> bool:
    """Tell whether nothing of *mailing* can be in anybody's hands or on its way."""
    return mailing.state == MailingState.DRAFT and not mailing.has_started


@receiver(pre_delete, sender=Mailing)
def keep_mailings(*, instance: Mailing, **_kwargs: Any) -> None:
    """Refuse to delete a mailing that was begun, directly or with its e-mail."""
    if not may_be_deleted(instance):
        raise ProtectedError(
            _("“%(mailing)s” cannot be deleted: readers hold its links.") % {"mailing": instance},
            {instance},
        )


@receiver(pre_delete, sender=Email)
def keep_variants(*, instance: Email, **_kwargs: Any) -> None:
    _refuse_while_used(instance, Q(variants__email=instance))


@receiver(pre_delete, sender=RecipientList)
def keep_lists(*, instance: RecipientList, **_kwargs: Any) -> None:
    _refuse_while_used(instance, Q(recipient_lists=instance))


@receiver(pre_delete, sender=Segment)
def keep_segments(*, instance: Segment, **_kwargs: Any) -> None:
    _refuse_while_used(instance, Q(segments=instance) | Q(excluded_segments=instance))


@receiver(pre_delete, sender=Sender)
def keep_senders(*, instance: Sender, **_kwargs: Any) -> None:
    _refuse_while_used(instance, Q(sender=instance))


def _refuse_while_used(instance: Model, use: Q) -> None:
    mailings = list(Mailing.objects.filter(use, state__in=OPEN_STATES).distinct()[:5])
    if mailings:
        names = ", ".join(map(str, mailings))
        raise ProtectedError(
            _("“%(name)s” is in use by %(mailings)s.") % {"name": instance, "mailings": names},
            set(mailings),
        )
