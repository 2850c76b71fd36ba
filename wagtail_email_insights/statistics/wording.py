"""How numbers stand in sentences."""

from __future__ import annotations

from django.template.defaultfilters import floatformat
from django.utils.translation import gettext as _


def percent(rate: float) -> str:
    """Write a rate between 0 and 1; small ones finely, for 0.1 % of spam reports are many."""
    digits = "1g" if rate >= 0.01 or rate == 0 else "2g"
    return _("%(number)s %%") % {"number": floatformat(rate * 100, digits)}


def number(value: int) -> str:
    """Write a whole number with the separators of the active language."""
    return floatformat(value, "0g")
