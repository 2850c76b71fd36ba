"""Wiring into the Wagtail admin; the screens themselves are in ``admin``."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.snippets.models import register_snippet

from .admin.action_menu import send_menu_item, without_publishing
from .admin.deleting import keep_mailed_emails
from .admin.diagnostics import Muted, Unmuted
from .admin.group import EmailGroup, activity_log
from .admin.home_panel import add_home_panel
from .admin.links import Corrected

register_snippet(EmailGroup)
activity_log.register_with_wagtail()

hooks.register("register_snippet_action_menu_item", send_menu_item)
hooks.register("construct_snippet_action_menu", without_publishing)
hooks.register("before_delete_snippet", keep_mailed_emails)
hooks.register("construct_homepage_panels", add_home_panel)


@hooks.register("register_icons")
def register_icons(icons: list[str]) -> list[str]:
    return [*icons, "wagtail_email_insights/icons/email-statistics.svg"]


@hooks.register("register_permissions")
def register_permissions() -> QuerySet[Permission]:
    """Offer our own rights in the group editor, beside add, change and delete."""
    return Permission.objects.filter(
        content_type__app_label="wagtail_email_insights",
        codename__in=[
            "send_email",
            "view_statistics",
            "view_activities",
            "export_contacts",
            "use_raw_html",
        ],
    )


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    prefix = "wagtail_email_insights"
    actions.register_action(f"{prefix}.send", _("Send"), _("Sent or scheduled"))
    actions.register_action(f"{prefix}.pause", _("Pause"), _("Sending paused"))
    actions.register_action(f"{prefix}.resume", _("Resume"), _("Sending resumed"))
    actions.register_action(f"{prefix}.cancel", _("Cancel"), _("Sending cancelled"))
    actions.register_action(
        f"{prefix}.uncertain_again", _("Send again"), _("Uncertain copies sent again")
    )
    actions.register_action(
        f"{prefix}.uncertain_sent", _("Count as sent"), _("Uncertain copies counted as sent")
    )
    actions.register_action(
        f"{prefix}.failed_again", _("Try again"), _("Failed copies tried again")
    )
    actions.register_action(
        f"{prefix}.export_activities", _("Export activities"), _("Contact activities exported")
    )
    actions.register_action(f"{prefix}.choose", _("Choose"), _("Winner of a test chosen"))
    actions.register_action(f"{prefix}.correct_link")(Corrected)
    actions.register_action(f"{prefix}.mute")(Muted)
    actions.register_action(f"{prefix}.unmute")(Unmuted)
