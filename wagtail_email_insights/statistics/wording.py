"""How numbers are written, on screens and in sentences alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.template.defaultfilters import floatformat
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

DASH = "–"
LEAST = Decimal("0.01")
ALMOST_ALL = Decimal("99.9")
ALMOST_ONE = Decimal("0.995")
"""From here on two digits would say "1.00"."""


def percent(rate: float | None) -> str:
    """Write a rate between 0 and 1; a dash where there is none.

    Small ones finely, for 0.1 % of spam reports are many. What is above zero is never written as
    0 %, and what is below one never as 100 %.
    """
    if rate is None:
        return DASH
    share = Decimal(str(rate)) * 100
    if 0 < share < LEAST / 2:
        return _("< %(number)s %%") % {"number": floatformat(LEAST, "2g")}
    if share < 100:
        share = min(share, ALMOST_ALL)
    digits = "2g" if 0 < share < ALMOST_ONE else "1g"
    return _("%(number)s %%") % {"number": floatformat(share, digits)}


def number(value: float | None) -> str:
    """Write a whole number with the separators of the active language; a dash for none."""
    return DASH if value is None else floatformat(value, "0g")


def time_since(moment: datetime) -> str:
    """Write how long ago something was, nothing below a minute: ``2 hours, 5 minutes``."""
    if timezone.now() - moment < timedelta(minutes=1):
        return _("less than a minute")
    return timesince(moment)
