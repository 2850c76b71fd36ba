"""Whether readers are asked if they may be known, and how many may."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.models import Site

from ..conf import app_settings
from ..consents.models import ConsentAction, ConsentRecord
from ..consents.queries import current_version, may_be_known, tracking_consent
from ..contacts.models import Contact
from ..tracking.models import Event, EventKind
from .tracking_check import Check, Result, State
from .wording import number, percent, time_since

SAMPLE = 10_000
"""The newest contacts that are looked at: counting millions would take seconds."""


def check_consent(site: Site | None) -> Result:
    """Look for the consent and its wording."""
    consent = tracking_consent()
    if consent is None:
        return Result(
            State.BROKEN,
            _("There is no consent with the code “%s”: nobody may be known.")
            % app_settings.tracking_consent,
            _("Make that consent, or correct the setting tracking_consent."),
            "consents",
        )
    if current_version(consent) is None:
        return Result(
            State.BROKEN,
            _("The consent “%s” has no wording, so no form can ask for it.") % consent,
            _("Publish a wording."),
            "consents",
        )
    return Result(State.OK, _("The consent “%s” exists and has a wording.") % consent)


def check_agreements(site: Site | None) -> Result:
    """Tell when somebody last agreed, and whether many have come since who did not."""
    latest = (
        ConsentRecord.objects.filter(
            consent__code=app_settings.tracking_consent, action=ConsentAction.AGREE
        )
        .order_by("-pk")
        .first()
    )
    try_it = _("Subscribe yourself with your own form, and see that it asks for the consent.")
    if latest is None:
        return Result(State.ATTENTION, _("Nobody has ever agreed to be known."), try_it)
    told = _("The last agreement came in %s ago.") % time_since(latest.at)
    floor = max(1, app_settings.ranking_floor)
    if not _have_confirmed_since(latest.at, floor):
        return Result(State.OK, told)
    since = ngettext(
        "Since then at least %(number)s subscription was confirmed without one.",
        "Since then at least %(number)s subscriptions were confirmed without one.",
        floor,
    )
    return Result(State.ATTENTION, f"{told} {since % {'number': number(floor)}}", try_it)


def check_share(site: Site | None) -> Result:
    """Count how many of the newest contacts may be known."""
    newest = Contact.objects.order_by("-pk").values("pk")[:SAMPLE]
    contacts = newest.count()
    known = Contact.objects.filter(may_be_known(), pk__in=list(newest.values_list("pk", flat=True)))
    if not contacts:
        return Result(State.OFF, _("There are no contacts yet."))
    share = known.count() / contacts
    told = _("%(share)s of %(number)s contacts may be known.") % {
        "share": percent(share),
        "number": number(contacts),
    }
    if contacts == SAMPLE:
        told = _("%(share)s of the newest %(number)s contacts may be known.") % {
            "share": percent(share),
            "number": number(contacts),
        }
    if share < 0.05:
        return Result(
            State.ATTENTION,
            told,
            _("Contact activities and segments by clicks see only these. Ask the others."),
            "contacts",
        )
    return Result(State.OK, told)


def _have_confirmed_since(moment: datetime, floor: int) -> bool:
    """Tell whether as many subscriptions as *floor* were confirmed; imports confirm none."""
    confirmed = Event.objects.filter(kind=EventKind.CONFIRM, at__gt=moment)
    return confirmed.order_by("at")[:floor].count() >= floor


CHECKS = [
    Check("consent", gettext_lazy("There is a consent to ask for"), check_consent),
    Check("agreements", gettext_lazy("People agree"), check_agreements),
    Check("share", gettext_lazy("Enough readers may be known"), check_share),
]
