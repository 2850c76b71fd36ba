"""What a segment can ask about recorded events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import BooleanField, Case, Exists, OuterRef, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.blocks import Block, CharBlock, ChoiceBlock, IntegerBlock, StructBlock
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.snippets.blocks import SnippetChooserBlock

from ..segments.blocks import KeepsMissing, NegationBlock, is_missing
from ..segments.conditions import UNKNOWN
from ..segments.registry import Condition, register
from .models import Event, EventKind, MailingTotals, Verdict

ANY_LINK = "any"
# How an editor may name a link: code, words in the form, look-up, words in the sentence. Case is
# ignored except in the whole address: databases differ on it, and a part is typed from memory.
LINK_MATCHES = {
    "exact": (
        gettext_lazy("a link whose address is exactly"),
        "link__url",
        gettext_lazy("the link %(address)s"),
    ),
    "contains": (
        gettext_lazy("a link whose address contains"),
        "link__url__icontains",
        gettext_lazy("a link containing %(address)s"),
    ),
    "starts": (
        gettext_lazy("a link whose address starts with"),
        "link__url__istartswith",
        gettext_lazy("a link starting with %(address)s"),
    ),
}
PEOPLE = (Verdict.HUMAN, Verdict.SUSPECTED)


class EmailChoiceBlock(KeepsMissing, SnippetChooserBlock):
    """An e-mail, still recognisable as one after it was deleted."""


class ClickedLinkBlock(StructBlock):
    """ "has (not) clicked" which link, in which e-mail, since when."""

    negate = NegationBlock(
        gettext_lazy("has clicked"),
        gettext_lazy("has not clicked"),
        label=gettext_lazy("The contact"),
    )
    link_match = ChoiceBlock(
        choices=[
            (ANY_LINK, gettext_lazy("any link")),
            *((code, words[0]) for code, words in LINK_MATCHES.items()),
        ],
        default=ANY_LINK,
        label=gettext_lazy("Which link"),
    )
    link_value = CharBlock(
        required=False,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("The address or the part of it to look for; not for “any link”."),
    )
    email = EmailChoiceBlock(
        "wagtail_email_insights.Email",
        required=False,
        label=gettext_lazy("In which e-mail"),
        help_text=gettext_lazy("Leave empty for any e-mail."),
    )
    days = IntegerBlock(
        required=False,
        min_value=1,
        max_value=3650,
        label=gettext_lazy("In the last days"),
        help_text=gettext_lazy("Leave empty for any time."),
    )

    def clean(self, value: Any) -> Any:
        value = super().clean(value)
        if value["link_match"] != ANY_LINK and not value["link_value"]:
            missing = ValidationError(_("Say which address to look for."))
            raise StructBlockValidationError(block_errors={"link_value": missing})
        return value

    class Meta:
        icon = "link"
        label = gettext_lazy("Clicked a link")


@register
class ClickedLink(Condition):
    """Clicks by people who may be known; machines never bring anybody into a segment."""

    code = "clicked_link"
    needs_permission = "wagtail_email_insights.view_activities"

    @classmethod
    def block(cls) -> Block:
        return ClickedLinkBlock()

    @classmethod
    def to_q(cls, value: Any) -> Q:
        email = value.get("email")
        if email is not None and is_missing(email):
            return UNKNOWN
        clicks = Event.objects.filter(
            _which_link(value),
            _which_email(value),
            _since(value),
            contact=OuterRef("pk"),
            kind=EventKind.CLICK,
            verdict__in=PEOPLE,
        )
        clicked = Q(Exists(clicks)) | _nobody_can_tell(email)
        return ~clicked if value.get("negate") else clicked

    @classmethod
    def sentence(cls, value: Any) -> str:
        what = (
            _("has not clicked %(link)s in %(email)s")
            if value.get("negate")
            else _("clicked %(link)s in %(email)s")
        )
        what = what % {"link": _link_in_words(value), "email": _email_in_words(value)}
        days = value.get("days")
        if not days:
            return what
        return ngettext("%(what)s in the last day", "%(what)s in the last %(days)d days", days) % {
            "what": what,
            "days": days,
        }


def _which_link(value: Any) -> Q:
    match = value.get("link_match") or ANY_LINK
    if match == ANY_LINK:
        return Q()
    # "Contains nothing" would be every link: without an address nothing matches.
    address = value.get("link_value")
    return Q((LINK_MATCHES[match][1], address)) if address else Q(pk__in=[])


def _which_email(value: Any) -> Q:
    email = value.get("email")
    return Q() if email is None else Q(mailing__email=email.pk)


def _nobody_can_tell(email: Any) -> Q:
    """Return SQL's NULL where events of *email* were deleted: else nobody seems to have clicked.

    NULL holds for nobody, and turned round neither; beside a click that is still there it is idle.
    """
    if email is None:
        return Q()
    removed = MailingTotals.objects.filter(mailing__email=email.pk, events_removed_at__isnull=False)
    null = Value(None, output_field=BooleanField())
    return Q(Case(When(Exists(removed), then=null), default=False, output_field=BooleanField()))


def _since(value: Any) -> Q:
    days = value.get("days")
    return Q(at__gte=timezone.now() - timedelta(days=days)) if days else Q()


def _link_in_words(value: Any) -> str:
    match = value.get("link_match") or ANY_LINK
    if match == ANY_LINK:
        return _("any link")
    return str(LINK_MATCHES[match][2]) % {"address": value["link_value"]}


def _email_in_words(value: Any) -> str:
    email = value.get("email")
    if email is None:
        return _("any e-mail")
    return _("a deleted e-mail") if is_missing(email) else _("“%s”") % email.title
