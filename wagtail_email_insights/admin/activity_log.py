"""The log of everything contacts did; nothing in it can be added, changed or deleted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from wagtail_modeladmin.helpers import PermissionHelper
from wagtail_modeladmin.options import ModelAdmin
from wagtail_modeladmin.views import IndexView

from ..activities.wording import value_of
from ..tracking.models import Event
from .contacts import contact_url


class ActivityPermissions(PermissionHelper):
    """Reading needs "view contact activities"; everything else is refused to everybody."""

    def user_can_list(self, user: Any) -> bool:
        return user.has_perm("wagtail_email_insights.view_activities")

    def user_can_create(self, user: AbstractBaseUser) -> bool:
        return False

    def user_can_inspect_obj(self, user: AbstractBaseUser, obj: Event) -> bool:
        return False

    def user_can_edit_obj(self, user: AbstractBaseUser, obj: Event) -> bool:
        return False

    def user_can_delete_obj(self, user: AbstractBaseUser, obj: Event) -> bool:
        return False


class ActivityIndexView(IndexView):
    def get_page_title(self) -> str:
        return str(_("Activity log"))


class ActivityLogAdmin(ModelAdmin):
    model = Event
    base_url_path = "email-insights/activities"
    menu_label = _("Activity log")
    menu_item_name = "email-activity-log"
    menu_icon = "history"
    # It stands in the app's own menu group.
    add_to_admin_menu = False
    index_view_class = ActivityIndexView
    permission_helper_class = ActivityPermissions
    history_view_enabled = False
    list_display = ("contact_link", "kind", "about", "email_title", "at")
    list_filter = ("kind", "at")
    list_select_related = ("contact", "mailing__email", "link", "recipient_list")
    list_per_page = 100
    search_fields = ("contact__email",)
    ordering = ("-at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).activities()

    def contact_link(self, event: Event) -> str:
        return format_html('<a href="{}">{}</a>', contact_url(event.contact_id), event.contact)

    contact_link.short_description = _("Contact")  # type: ignore[attr-defined]

    def about(self, event: Event) -> str:
        return value_of(event)

    about.short_description = _("Value")  # type: ignore[attr-defined]

    def email_title(self, event: Event) -> str:
        return str(event.mailing.email) if event.mailing else ""

    email_title.short_description = _("E-mail")  # type: ignore[attr-defined]

    def get_permissions_for_registration(self) -> QuerySet[Permission]:
        return Permission.objects.none()

    def register_indexing(self) -> None:
        """Events refer to much and come by the million: they stay out of the reference index."""

    def register_admin_url_finders(self) -> Any:
        """An event has no page of its own to be found."""
