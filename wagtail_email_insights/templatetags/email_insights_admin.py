"""How numbers are written on the app's own admin screens."""

from __future__ import annotations

from datetime import timedelta

from django import template
from django.utils.translation import get_language_info, ngettext

from ..statistics import wording

register = template.Library()

percent = register.filter("percent", wording.percent)
number = register.filter("number", wording.number)

BAR_WIDTH = 100


@register.filter
def bar_width(rate: float | None) -> str:
    """Return the width of a bar for a rate, 0 to 100, with a point whatever the language."""
    return f"{min(max(rate or 0, 0), 1) * BAR_WIDTH:.2f}"


@register.simple_tag
def share(part: int, whole: int) -> float | None:
    """Return ``part / whole``; None where there is nothing to divide by."""
    return part / whole if whole else None


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
