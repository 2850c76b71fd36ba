"""The buttons at the foot of the e-mail editor: saving leads on to sending."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.snippets.action_menu import ActionMenuItem

from ..emails.models import Email
from .permissions import SEND, has

PUBLISHING = {"action-publish", "action-unpublish"}


class SendMenuItem(ActionMenuItem):
    """Saves the draft and goes on to the send screen; stands right after "Save draft"."""

    name = "action-send"
    label = _("Save and send…")
    icon_name = "mail"
    order = 5
    template_name = "wagtail_email_insights/admin/emails/send_menu_item.html"

    def is_shown(self, context: dict[str, Any]) -> bool:
        return super().is_shown(context) and has(context["request"].user, SEND)


def send_menu_item(model: type) -> ActionMenuItem | None:
    return SendMenuItem() if issubclass(model, Email) else None


def without_publishing(
    menu_items: list[ActionMenuItem], request: HttpRequest, context: dict[str, Any]
) -> None:
    """Take "Publish" away from e-mails: they are sent, and nothing of them is ever public."""
    if issubclass(context["model"], Email):
        menu_items[:] = [item for item in menu_items if item.name not in PUBLISHING]
