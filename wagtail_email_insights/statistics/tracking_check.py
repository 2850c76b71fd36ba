"""Does tracking work? A list of checks, each of which really tries what it is about.

A check says how it stands, what that means, and what to do. They lie in ``checks_of_recording``,
``checks_of_sending`` and ``checks_of_consent``; the admin adds what packages beside this one know.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import Site

from .definitions import Words

logger = logging.getLogger(__name__)


class State(models.TextChoices):
    OK = "ok", gettext_lazy("In order")
    OFF = "off", gettext_lazy("Off")
    ATTENTION = "attention", gettext_lazy("Look at this")
    BROKEN = "broken", gettext_lazy("Broken")


@dataclass(frozen=True)
class Result:
    """What a check found. *place* names the screen where to put it right (``admin``)."""

    state: State
    meaning: str
    remedy: str = ""
    place: str = ""


@dataclass(frozen=True)
class Check:
    code: str
    label: Words
    run: Callable[[Site | None], Result]


@dataclass(frozen=True)
class Checked:
    check: Check
    result: Result


def run(checks: list[Check], site: Site | None) -> list[Checked]:
    """Run *checks* one after the other, and return what each found."""
    return [Checked(check, _run(check, site)) for check in checks]


def worst_of(checked: list[Checked]) -> State:
    """Return the worst state; what is off on purpose is not bad."""
    order = list(State)
    return max((one.result.state for one in checked), key=order.index, default=State.OK)


def _run(check: Check, site: Site | None) -> Result:
    try:
        return check.run(site)
    except Exception:
        logger.exception("The tracking check %r failed", check.code)
        return Result(
            State.BROKEN,
            _("This could not be tested: an error came up."),
            _("The log of the server says which."),
        )
