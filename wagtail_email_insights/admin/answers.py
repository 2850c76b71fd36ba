"""What is said about the contacts behind a number: how many, and why the others have no name."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..statistics.people import SMALL_GROUP, Behind
from ..templatetags.email_insights_admin import number


@dataclass(frozen=True)
class Answer:
    """The words about *behind*, a figure or one part of it, such as a link or a device.

    *needs_consent* says whether only those who agreed to it may be known behind this figure,
    *with_machines* whether it counts what machines did.
    """

    behind: Behind
    needs_consent: bool
    is_part: bool
    with_machines: bool = False

    @property
    def headline(self) -> SafeString:
        """Say how many contacts there are, and how many copies without a name."""
        if not (self._is_hidden or self.behind.anonymous):
            return self._known
        return format_html(
            _("{known}, and {anonymous}"), known=self._known, anonymous=self._anonymous
        )

    @property
    def explanation(self) -> str:
        """Say why the rest has no name; empty where everybody has one."""
        if self.behind.events_removed_at:
            return _(
                "The single events were deleted on %(date)s, as all events are here after a "
                "while. The number stays, but who is behind it is no longer stored."
            ) % {"date": date_format(localtime(self.behind.events_removed_at), "DATE_FORMAT")}
        if self._is_hidden:
            return self._why_hidden
        if not self.behind.anonymous:
            return ""
        return f"{self._why_anonymous} {self._about_machines}".strip()

    @property
    def _is_hidden(self) -> bool:
        """Whether it is not said how many of a very small group are behind this part."""
        is_few = self.behind.is_guessable and self.behind.anonymous < SMALL_GROUP
        return self.needs_consent and self.is_part and is_few

    @property
    def _why_hidden(self) -> str:
        return _(
            "Fewer than %(number)s copies of a mailing went to people who did not agree to be "
            "known. In so small a group somebody could guess who did what, so it is not said here "
            "how many of them are behind this number."
        ) % {"number": number(SMALL_GROUP)}

    @property
    def _about_machines(self) -> str:
        if not (self.with_machines and self.needs_consent):
            return ""
        return _(
            "Copies that only a machine has touched are among them: nobody is named for what a "
            "machine did."
        )

    @property
    def _why_anonymous(self) -> str:
        if not self.needs_consent:
            return _(
                "The contacts of the anonymous copies are no longer stored, so nobody can name "
                "them."
            )
        if self.behind.is_guessable:
            return _(
                "What the anonymous ones did was counted without storing who they are. But fewer "
                "than %(number)s copies of a mailing went to people who did not agree to be "
                "known: in so small a group somebody could guess who it was. They cannot be put "
                "on a list or into a segment."
            ) % {"number": number(SMALL_GROUP)}
        return _(
            "Nobody can name the anonymous ones, neither you nor we: what they did was counted "
            "without storing who they are. They cannot be put on a list or into a segment."
        )

    @property
    def _known(self) -> SafeString:
        count = self.behind.known
        if self.needs_consent:
            sentence = ngettext(
                "{known} contact who may be known", "{known} contacts who may be known", count
            )
        else:
            sentence = ngettext("{known} contact", "{known} contacts", count)
        return format_html(sentence, known=_strong(count))

    @property
    def _anonymous(self) -> SafeString:
        if self._is_hidden:
            return format_html(
                _("fewer than {number} anonymous copies"), number=_strong(SMALL_GROUP)
            )
        sentence = ngettext(
            "{anonymous} anonymous copy", "{anonymous} anonymous copies", self.behind.anonymous
        )
        return format_html(sentence, anonymous=_strong(self.behind.anonymous))


def _strong(count: int) -> SafeString:
    return format_html("<strong>{}</strong>", number(count))
