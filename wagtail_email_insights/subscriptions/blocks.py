"""A block with which a host's pages carry a subscribe form."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, ChoiceBlock, StructBlock, TextBlock

from ..contacts.models import RecipientList


def list_choices() -> list[tuple[str, str]]:
    """Return code and name of every list; by code, so that content moves between databases."""
    return list(RecipientList.objects.values_list("slug", "name"))


class SubscribeFormBlock(StructBlock):
    """Heading, text and the subscribe form of one list.

    Render it with ``{% include_block %}``: the form needs the request for its CSRF token. The page
    must not come out of a shared cache; see the template tag ``email_subscribe_form``.
    """

    recipient_list = ChoiceBlock(choices=list_choices, label=_("Recipient list"))
    heading = CharBlock(required=False, label=_("Heading"))
    text = TextBlock(required=False, label=_("Text"))

    class Meta:
        icon = "mail"
        label = _("Subscribe form")
        template = "wagtail_email_insights/subscriptions/block.html"

    def get_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> Any:
        context = super().get_context(value, parent_context)
        context["list_slug"] = value["recipient_list"]
        return context
