"""What can be made of the contacts behind a number: a segment, a list, an e-mail to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..contacts.models import RecipientList
from ..emails.models import Email
from ..mailings.models import Mailing
from ..segments.models import Segment
from ..tracking.conditions import ANY_LINK, ClickedLink
from .permissions import APP, SEND

Rule = list[tuple[str, dict[str, Any]]]
"""The conditions of a segment, as its stream takes them."""


@dataclass(frozen=True)
class Offer:
    """One thing to make, what it is, and the permissions without which nobody is offered it."""

    code: str
    label: str | Promise
    meaning: str | Promise
    permissions: tuple[str, ...]


OFFERS = {
    offer.code: offer
    for offer in (
        Offer(
            "segment",
            _("Make a segment"),
            _("A rule about this e-mail, all its mailings: who clicks later is in it too."),
            (f"{APP}.add_segment",),
        ),
        Offer(
            "list",
            _("Make a list"),
            _(
                "Those of them who are subscribed to a list already and whose address may get "
                "mail, as they are now. They see its name when they unsubscribe."
            ),
            (f"{APP}.add_recipientlist", f"{APP}.change_contact"),
        ),
        Offer(
            "email",
            _("Write to them"),
            _("The same list, and a new e-mail to it. Nothing is sent yet."),
            (f"{APP}.add_recipientlist", f"{APP}.change_contact", f"{APP}.add_email", SEND),
        ),
    )
}

NOT_TO_BE_WRITTEN_TO = frozenset({"unsubscribed", "complained", "hard_bounced", "failed"})
"""Figures of people who want no mail, or whom none reaches: no list is made of them in one step."""

BY_RULE = frozenset({"segment"})
"""Offers that do not say that anybody is written to."""


def suits(offer: Offer, code: str, rule: Rule | None) -> bool:
    """Tell whether *offer* makes sense for the contacts behind the figure *code*."""
    if offer.code in BY_RULE:
        return rule is not None
    return code not in NOT_TO_BE_WRITTEN_TO


def rule_for(email: Email, code: str, urls: Sequence[str] = ()) -> Rule | None:
    """Return the conditions that say lastingly who is behind a figure; None where none can.

    Only clicks can be asked for by a rule, and it is about all mailings of the e-mail.
    """
    if code != "clicked" or len(urls) > 1:
        return None
    condition = {
        "negate": False,
        "link_match": "exact" if urls else ANY_LINK,
        "link_value": urls[0] if urls else "",
        "email": email,
        "days": None,
    }
    return [(ClickedLink.code, condition)]


def make_segment(name: str, rule: Rule) -> Segment:
    """Save *rule*: whoever fulfils it later is in the segment too."""
    return Segment.objects.create(name=name[:120], conditions=rule)


@transaction.atomic
def draft_email(name: str, recipient_list: RecipientList, *, by: Any, site: Any) -> Email:
    """Return a new, empty e-mail whose audience is chosen already: *recipient_list*."""
    email = Email(title=name[:200], live=False)
    email.save()
    email.save_revision(user=by, clean=False)
    mailing = Mailing.objects.create(email=email, site=site, created_by=by)
    mailing.recipient_lists.add(recipient_list)
    return email
