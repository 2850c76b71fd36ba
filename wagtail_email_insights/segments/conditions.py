"""What a segment can ask about contacts and their lists.

Here and not in ``contacts``, because contacts stand below segments and must not know of them.
"""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Exists, OuterRef, Q, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block, StructBlock

from ..contacts.models import Subscription, SubscriptionStatus
from .blocks import NegationBlock, RowChoiceBlock, is_missing
from .registry import Condition, register

UNKNOWN = Q(Value(None, output_field=BooleanField()))
"""For a condition that names something deleted: SQL's NULL, which holds for nobody, and for nobody
either when it is turned round, by itself or with the group it stands in."""


class OnListBlock(StructBlock):
    """ "is (not) subscribed to" a list."""

    negate = NegationBlock(
        gettext_lazy("is subscribed to"),
        gettext_lazy("is not subscribed to"),
        label=gettext_lazy("The contact"),
    )
    recipient_list = RowChoiceBlock(
        "wagtail_email_insights.RecipientList", label=gettext_lazy("List")
    )

    class Meta:
        icon = "list-ul"
        label = gettext_lazy("Subscription to a list")


@register
class OnList(Condition):
    """Confirmed and not left since; whether the address may get mail is another question."""

    code = "on_list"

    @classmethod
    def block(cls) -> Block:
        return OnListBlock()

    @classmethod
    def to_q(cls, value: Any) -> Q:
        if is_missing(value["recipient_list"]):
            return UNKNOWN
        subscribed = Q(
            Exists(
                Subscription.objects.filter(
                    contact=OuterRef("pk"),
                    recipient_list=value["recipient_list"].pk,
                    status=SubscriptionStatus.SUBSCRIBED,
                )
            )
        )
        return ~subscribed if value["negate"] else subscribed

    @classmethod
    def sentence(cls, value: Any) -> str:
        chosen = value["recipient_list"]
        name = _("a deleted list") if is_missing(chosen) else _("“%s”") % chosen.name
        if value["negate"]:
            return _("is not subscribed to %(list)s") % {"list": name}
        return _("is subscribed to %(list)s") % {"list": name}
