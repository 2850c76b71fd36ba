"""Every reason a verdict can have, in words for the screen."""

from __future__ import annotations

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """The sign that led to a verdict, stored with it; a person's hits have none."""

    LOOKAHEAD = "lookahead", _("Looked ahead")
    NO_USER_AGENT = "no_user_agent", _("Does not say what it is")
    DECLARED_ROBOT = "declared_robot", _("Says that it is a robot")
    PROXY_CLICK = "proxy_click", _("Image proxy that followed a link")
    APPLE_PRIVACY = "apple_privacy", _("Apple Mail Privacy Protection")
    IMAGE_PROXY = "image_proxy", _("Image proxy of a mail service")
    TRAP = "trap", _("Followed the hidden link")
    AFTER_LOOKAHEAD = "after_lookahead", _("Looked ahead, then came")
    BURST = "burst", _("Several links at once")
    BEFORE_HANDOVER = "before_handover", _("Came before the e-mail had arrived")
    SWEEP = "sweep", _("One network, many copies at once")


SENTENCES: dict[str, str | Promise] = {
    "": _("Nothing speaks against a person."),
    Reason.LOOKAHEAD: _("The request only asked what is there, or fetched it in advance."),
    Reason.NO_USER_AGENT: _("The request does not name the program it comes from; browsers do."),
    Reason.DECLARED_ROBOT: _(
        "The program names itself: a robot, a link checker or a program library."
    ),
    Reason.PROXY_CLICK: _("Image proxies fetch images only. This one followed a link."),
    Reason.APPLE_PRIVACY: _(
        "Apple fetches the images of every e-mail, whether or not anybody looks at it."
    ),
    Reason.IMAGE_PROXY: _(
        "The mail service fetched the image for its reader, mostly when the e-mail was opened."
    ),
    Reason.TRAP: _("The same copy's hidden link, which no person sees, was followed just then."),
    Reason.AFTER_LOOKAHEAD: _(
        "Seconds before, somebody asked whether this link exists: link checkers do."
    ),
    Reason.BURST: _("Different links of one copy were followed faster than anybody reads."),
    Reason.BEFORE_HANDOVER: _("The mail server had not yet accepted the copy that was read."),
    Reason.SWEEP: _("Links in many people's copies were followed at once from one place."),
}
"""What a reason means, in one sentence."""
