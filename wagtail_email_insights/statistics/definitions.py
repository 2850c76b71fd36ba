"""What each number means: the table behind every statistics screen and its documentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .counts import Counts

Words = str | Promise
Number = Callable[[Counts], int]


@dataclass(frozen=True)
class Denominator:
    """What a figure is a share of."""

    label: Words
    count: Number
    label_if_partial: Words = ""
    """Its name where some of the copies cannot be told apart and so are left out."""

    def label_for(self, counts: Counts) -> Words:
        partial = self.label_if_partial and counts.delivered_apart != counts.delivered
        return self.label_if_partial if partial else self.label


@dataclass(frozen=True)
class Part:
    """One of the numbers that a figure is the sum of."""

    label: Words
    count: Number


@dataclass(frozen=True)
class Definition:
    """One figure: what is counted of what, what that means, and how far to trust it."""

    code: str
    label: Words
    value: Number
    of: Denominator
    meaning: Words
    trust: Words
    total: Number | None = None
    parts: tuple[Part, ...] = ()
    is_known: Callable[[Counts], bool] = lambda counts: True
    """Whether anybody reports it; where nobody does, the figure is absent, not zero."""
    approximate: bool = False
    lower_is_better: bool = False


TO_BE_SENT = Denominator(_("to be sent"), attrgetter("attempted"))
SENT = Denominator(_("sent"), attrgetter("sent"))
DELIVERED = Denominator(_("delivered"), attrgetter("delivered"))
READERS = Denominator(_("delivered"), attrgetter("delivered_apart"), _("delivered and told apart"))
OPENED = Denominator(_("opened"), attrgetter("opened"))
WITH_A_FILE = Denominator(
    _("delivered with an attachment"),
    attrgetter("offered_a_file"),
    _("delivered with an attachment and told apart"),
)


def reported(*kinds: str) -> Callable[[Counts], bool]:
    """Return a test whether any of *kinds* is ever reported."""
    return lambda counts: bool(counts.reported & set(kinds))


def has_attachments(counts: Counts) -> bool:
    return bool(counts.attachments or counts.downloads)


DEFINITIONS = (
    Definition(
        code="sent",
        label=_("Sent"),
        value=attrgetter("sent"),
        of=TO_BE_SENT,
        meaning=_("Copies that the mail server has taken, of all that were to be sent."),
        trust=_("Exact: the mail server confirmed each of them."),
    ),
    Definition(
        code="delivered",
        label=_("Delivered"),
        value=attrgetter("delivered"),
        of=SENT,
        meaning=_("Sent copies that did not come back, or that a reader has opened all the same."),
        trust=_(
            "An upper limit: some providers drop mail without a word, and as long as no source of "
            "bounces is connected, every sent copy counts as delivered."
        ),
    ),
    Definition(
        code="opened",
        label=_("Opened"),
        value=attrgetter("opened"),
        total=attrgetter("opens"),
        of=READERS,
        meaning=_(
            "Copies whose images were loaded; a copy with a click or an opened attachment counts "
            "as opened too."
        ),
        trust=_(
            "Approximate: Apple Mail and others load images unasked, other programs never do. "
            "Compare your own e-mails with each other, and trust clicks more."
        ),
        approximate=True,
    ),
    Definition(
        code="clicked",
        label=_("Clicked"),
        value=attrgetter("clicked"),
        total=attrgetter("clicks"),
        of=READERS,
        meaning=_("Copies in which at least one link was followed."),
        trust=_(
            "The most reliable sign of interest. Link scanners are kept apart as far as they can "
            "be recognised."
        ),
    ),
    Definition(
        code="click_to_open",
        label=_("Clicked of opened"),
        value=attrgetter("clicked"),
        of=OPENED,
        meaning=_(
            "How many of those who opened also clicked: says more of the content than of the "
            "subject."
        ),
        trust=_("Approximate, because it divides by opens."),
        approximate=True,
    ),
    Definition(
        code="unsubscribed",
        label=_("Unsubscribed"),
        value=attrgetter("unsubscribed"),
        of=DELIVERED,
        meaning=_(
            "Copies whose unsubscribe link or button was used, to leave one list or everything."
        ),
        trust=_("Exact, but readers who only delete what you send are not in it."),
        lower_is_better=True,
    ),
    Definition(
        code="bounced",
        label=_("Bounced"),
        value=attrgetter("bounced"),
        of=SENT,
        parts=(
            Part(_("for good"), attrgetter("hard_bounced")),
            Part(_("for now"), attrgetter("soft_bounced")),
        ),
        meaning=_(
            "Copies that came back, for good or for now. Addresses that do not exist are "
            "suppressed at once; over two in a hundred means that the list needs cleaning."
        ),
        trust=_("A lower limit: servers may take days to say so, and some never do."),
        is_known=reported("hard_bounce", "soft_bounce"),
        lower_is_better=True,
    ),
    Definition(
        code="complained",
        label=_("Reported as spam"),
        value=attrgetter("complained"),
        of=DELIVERED,
        meaning=_("Copies reported as spam. Nobody who did so is mailed again."),
        trust=_("A lower limit: many providers tell nobody, or only a sum."),
        is_known=reported("complaint"),
        lower_is_better=True,
    ),
    Definition(
        code="replied",
        label=_("Replied"),
        value=attrgetter("replied"),
        total=attrgetter("replies"),
        of=DELIVERED,
        meaning=_("Copies that were answered by a person; automatic replies are left out."),
        trust=_("Reliable for answers that reach the mailbox that is read, and for no others."),
        is_known=reported("reply"),
    ),
    Definition(
        code="downloaded",
        label=_("Attachment opened"),
        value=attrgetter("downloaded"),
        total=attrgetter("downloads"),
        of=WITH_A_FILE,
        meaning=_("Copies from which at least one attachment was opened."),
        trust=_(
            "As reliable as clicks. Whoever passes the file itself on, or opens it a second time "
            "from their own disk, is not seen."
        ),
        is_known=has_attachments,
    ),
    Definition(
        code="viewed",
        label=_("Viewed in the browser"),
        value=attrgetter("viewed"),
        total=attrgetter("views"),
        of=READERS,
        meaning=_("Copies that were also read as a web page; not counted as clicks."),
        trust=_("Reliable, but few readers ever do it: it says nothing about all the others."),
    ),
)
"""In the order in which screens show them."""

BY_CODE = {definition.code: definition for definition in DEFINITIONS}
