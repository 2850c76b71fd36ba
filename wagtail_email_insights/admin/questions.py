"""What can be asked about the contacts behind a number, and how an editor calls it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..statistics.curves import span_of
from ..statistics.definitions import BY_CODE
from ..statistics.standing import STANDING
from ..templatetags.email_insights_admin import language_name
from ..tracking.agents import CLIENTS
from ..tracking.models import Device, LeavingReason
from .statistics_selection import NOT_KNOWN

QUESTIONS: dict[str, str | Promise] = {
    "not_opened": _("Not opened"),
    "not_clicked": _("Not clicked"),
    "hard_bounced": _("Bounced for good"),
    "soft_bounced": _("Bounced for now"),
    "failed": _("Refused by the mail server"),
    "uncertain": _("Uncertain"),
    "only_through_proxy": _("Opened through an image proxy only"),
}
"""Numbers that are no figures of their own, but have contacts behind them."""

IN_ROWS: dict[str, str | Promise] = {"identified": _("May be known")}
"""Numbers that only a row of a breakdown has."""

PARTS: dict[str, str | Promise] = {
    "device": _("Device"),
    "client": _("Program"),
    "variant": _("Variant"),
    "why": _("Reason"),
    "list": _("List"),
    "segment": _("Segment"),
    "language": _("Language"),
    "hour": _("First time in the hour from"),
    "day": _("First time on"),
}
"""Parts of a figure that an address can name, beside links."""

LABELS: dict[str, dict[str, Any]] = {
    "device": {**dict(Device.choices), NOT_KNOWN: _("Unknown")},
    "client": {**CLIENTS, NOT_KNOWN: _("Unknown")},
    "why": {**dict(LeavingReason.choices), NOT_KNOWN: _("Did not say")},
    "language": {NOT_KNOWN: _("Unknown")},
}


IN_ANY_CASE = frozenset({*STANDING, "unsubscribed", "complained", "replied"})
"""What belongs to the standing relation: its contact is stored without any consent."""

NUMBERS: dict[str, str | Promise] = {
    **{code: definition.label for code, definition in BY_CODE.items()},
    **QUESTIONS,
}
"""Every number of a whole e-mail that has contacts behind it."""


def _hour(key: str) -> str:
    begin = localtime(span_of("hour", key).begin)
    return date_format(begin, "SHORT_DATETIME_FORMAT")


def _day(key: str) -> str:
    return date_format(date.fromisoformat(key), "SHORT_DATE_FORMAT")


WORDED: dict[str, Callable[[str], str]] = {"language": language_name, "hour": _hour, "day": _day}
"""Parts whose keys are put in words one by one."""


def in_words(part: str, key: str, name: str) -> str:
    """Return the part of a number as an editor knows it; *name* is that of a list or segment."""
    which = LABELS.get(part, {}).get(key)
    if which is None:
        which = WORDED[part](key) if part in WORDED else name
    return gettext("%(what)s: %(which)s") % {"what": PARTS[part], "which": which}
