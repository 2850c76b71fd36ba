"""What visitors and readers can do: ask for a list, confirm, leave."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import transaction
from wagtail.models import Site

from .. import signals
from ..consents import actions as consent_actions
from ..consents.models import ConsentVersion
from ..consents.queries import tracking_consent
from ..contacts import actions as contact_actions
from ..contacts.models import (
    Contact,
    RecipientList,
    Subscription,
    Suppression,
    SuppressionReason,
)
from ..mail import MailError
from . import limits, mails
from .confirmations import Confirmation
from .departures import Departure

logger = logging.getLogger(__name__)

BLOCKING_REASONS = (
    SuppressionReason.HARD_BOUNCE,
    SuppressionReason.COMPLAINT,
    SuppressionReason.MANUAL,
)
"""Addresses that get no mail at all. Who only unsubscribed from everything may come back."""

MAX_SOURCE = 120


def ask(
    recipient_list: RecipientList,
    email: str,
    *,
    first_name: str = "",
    version: ConsentVersion | None = None,
    source: str = "",
    language: str = "",
    site: Site | None = None,
) -> None:
    """Take somebody's wish to be on *recipient_list*, and write to the owner of the address.

    *version* is the wording of the tracking consent that was ticked; it is recorded only when the
    owner of the address confirms. Returns nothing, whatever is known about the address: whoever
    asks must not learn it. Raises MailError when the mail server is away.
    """
    if _is_blocked(email):
        return
    at_once = not recipient_list.double_opt_in and _is_newcomer(email, recipient_list)
    subscription = contact_actions.request_subscription(
        email, recipient_list, source=source, first_name=first_name, language=language
    )
    confirmation = Confirmation(subscription, version)
    if confirmation.is_subscribed:
        _within_limit(mails.send_standing, confirmation, site)
    elif at_once:
        _start_at_once(confirmation, site)
    elif _within_limit(mails.send_confirmation, confirmation, site):
        _tell_requested(subscription)


def confirm(confirmation: Confirmation, *, site: Site | None = None) -> bool:
    """Do what the owner of the address agreed to; returns False when all of it was done before."""
    with transaction.atomic():
        # Locks the subscription, so that a second press waits and then finds the consent recorded.
        is_new = contact_actions.confirm(confirmation.subscription)
        has_agreed = _agree(confirmation)
    subscription = confirmation.subscription
    if is_new and subscription.recipient_list.send_welcome_mail:
        _courtesy(subscription.contact, mails.send_welcome, subscription, site)
    return is_new or has_agreed


def leave(departure: Departure, *, everything: bool = False, why: str = "") -> list[RecipientList]:
    """Take the contact off the mailing's lists, or off everything; returns the lists left.

    *why* is the LeavingReason they gave, if they gave one.
    """
    contact, mailing = departure.contact, departure.mailing
    if everything or departure.is_only_everything:
        left = contact_actions.unsubscribe_from_all(contact, mailing=mailing, why=why)
    else:
        left = contact_actions.unsubscribe(
            contact, departure.mailing_lists, mailing=mailing, why=why
        )
    if any(recipient_list.send_goodbye_mail for recipient_list in left):
        _courtesy(contact, mails.send_goodbye, contact, left, mailing.site)
    return left


def take_back_consent(departure: Departure) -> None:
    """Withdraw the consent to tracking; subscriptions stay as they are."""
    consent = tracking_consent()
    if consent and departure.has_agreed:
        consent_actions.withdraw(departure.contact, consent, source="unsubscribe page")


def _start_at_once(confirmation: Confirmation, site: Site | None) -> None:
    """Subscribe without asking back; a ticked consent still needs the owner of the address."""
    subscription = confirmation.subscription
    _tell_requested(subscription)
    confirm(Confirmation(subscription), site=site)
    if confirmation.version:
        _within_limit(mails.send_standing, confirmation, site)


def _tell_requested(subscription: Subscription) -> None:
    signals.subscription_requested.send(Subscription, subscription=subscription)


def _agree(confirmation: Confirmation) -> bool:
    if confirmation.version is None or not confirmation.lacks_consent:
        return False
    source = f"confirmation mail, {confirmation.subscription.source or 'form'}"
    consent_actions.agree(
        confirmation.subscription.contact, confirmation.version, source=source[:MAX_SOURCE]
    )
    return True


def _is_blocked(email: str) -> bool:
    suppressions = Suppression.objects.active()
    return suppressions.filter(email=email, reason__in=BLOCKING_REASONS).exists()


def _is_newcomer(email: str, recipient_list: RecipientList) -> bool:
    """Tell whether nothing speaks against *email*: who once left comes back by their own hand."""
    standing = Subscription.objects.filter(contact__email=email, recipient_list=recipient_list)
    suppressions = Suppression.objects.active().filter(email=email)
    return not standing.exists() and not suppressions.exists()


def _within_limit(
    send: Callable[[Confirmation, Site | None], None],
    confirmation: Confirmation,
    site: Site | None,
) -> bool:
    """Send unless the address has had its mails for today; returns whether it was sent."""
    email = confirmation.subscription.contact.email
    if not limits.may_mail(email):
        logger.info("No further mail today about subscription %s", confirmation.subscription.pk)
        return False
    try:
        send(confirmation, site)
    except MailError:
        limits.give_mail_back(email)
        raise
    return True


def _courtesy(contact: Contact, send: Callable[..., None], *args: object) -> None:
    """Send a mail that is only kind: what it tells has happened, so a failure is just logged."""
    if _is_blocked(contact.email):
        return
    try:
        send(*args)
    except MailError:
        logger.exception("A courtesy mail could not be sent")
