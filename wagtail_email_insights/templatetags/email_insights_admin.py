"""How numbers are written on the app's own admin screens."""

from __future__ import annotations

from datetime import timedelta

from django import template
from django.template.defaultfilters import floatformat
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

register = template.Library()

BAR_WIDTH = 100


@register.filter
def percent(rate: float | None) -> str:
    """Write a rate between 0 and 1 as a percentage; a dash where there is none."""
    if rate is None:
        return "–"
    return _("%(number)s %%") % {"number": floatformat(rate * 100, "1g")}


@register.filter
def bar_width(rate: float | None) -> str:
    """Return the width of a bar for a rate, 0 to 100, with a point whatever the language."""
    return f"{min(max(rate or 0, 0), 1) * BAR_WIDTH:.2f}"


@register.simple_tag
def share(part: int, whole: int) -> float | None:
    """Return ``part / whole``; None where there is nothing to divide by."""
    return part / whole if whole else None


@register.filter
def number(value: float | None) -> str:
    """Write a whole number with the separators of the active language."""
    return "–" if value is None else floatformat(value, "0g")


@register.filter
def language_name(code: str) -> str:
    """Return the name of a language in the active one; the code itself where Django knows none."""
    try:
        return str(get_language_info(code)["name_translated"]).capitalize()
    except KeyError:
        return code


@register.filter
def minutes(duration: timedelta) -> str:
    """Write a duration roughly: seconds below a minute, else whole minutes or hours."""
    seconds = max(1, round(duration.total_seconds()))
    if seconds < 60:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    if seconds < 5400:
        return ngettext("%d minute", "%d minutes", round(seconds / 60)) % round(seconds / 60)
    return ngettext("%d hour", "%d hours", round(seconds / 3600)) % round(seconds / 3600)
