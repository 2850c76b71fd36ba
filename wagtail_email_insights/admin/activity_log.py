"""The log of everything contacts did; nothing in it can be added, changed or deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import path
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.paginator import WagtailPaginator
from wagtail_modeladmin.helpers import PermissionHelper
from wagtail_modeladmin.options import ModelAdmin
from wagtail_modeladmin.views import IndexView

from ..activities import queries
from ..activities.filters import SEARCH_FIELDS
from ..activities.wording import described
from ..tracking.models import Event
from .activity_exports import export
from .activity_feed import EXPORT, Line, export_urls
from .activity_filters import chosen_by
from .activity_log_filters import LOG_FILTERS

COUNTED = 10_000
"""Counting millions takes seconds: beyond this many it is only said that there are more."""


CELL_CLASSES = {
    "contact_link": ["wei-contact"],
    "about": ["wei-url"],
    "when": ["wei-time"],
}


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


class ActivityPaginator(WagtailPaginator):
    """Counts once, and only so far; who looks for older activities narrows the list down."""

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNTED)

    @cached_property
    def items_count_label(self) -> str:
        if self._counted <= COUNTED:
            return super().items_count_label
        return gettext("more than %(number)s") % {
            "number": number_format(COUNTED, force_grouping=True)
        }

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by()[: COUNTED + 1].count()


class ActivityIndexView(IndexView):
    paginator_class = ActivityPaginator

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.GET = _without_nul(request.GET)  # type: ignore[assignment]
        # "Search events" would be our word for it, not an editor's.
        self.verbose_name_plural = gettext("activities")
        return super().dispatch(request, *args, **kwargs)

    def get_filters_params(self, params: QueryDict | None = None) -> dict[str, list[str]]:
        """Keep what our filters read: the parent would look up any other name in the database.

        Through relations, that would answer questions about whatever is stored anywhere.
        """
        known = {each.parameter_name for each in LOG_FILTERS}
        found = super().get_filters_params(params)
        return {name: values for name, values in found.items() if name in known}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Build what the template needs from one count: the parent's own way takes three."""
        paginator = self.paginator_class(self.queryset, self.items_per_page)
        page = paginator.get_page(self.page_num or 1)
        chosen = chosen_by(self.request.user, self.request.GET)
        shown = {
            "view": self,
            "all_count": self._all_count() if self._is_narrowed_down else paginator.count,
            "result_count": paginator.count,
            "paginator": paginator,
            "page_obj": page,
            "elided_page_range": paginator.get_elided_page_range(page.number),
            "object_list": _with_lines(page.object_list),
            "exports": export_urls(self.request.user, chosen),
            "user_can_create": False,
            "show_search": self.search_handler.show_search_form,
        }
        return super(IndexView, self).get_context_data(**(shown | kwargs))

    @property
    def _is_narrowed_down(self) -> bool:
        return bool(self.query or self.get_filters_params())

    def _all_count(self) -> int:
        """Return how many there are without any filter, counted only as far as the others."""
        return self.paginator_class(self.get_base_queryset(), self.items_per_page).count

    def get_page_title(self) -> str:
        return str(_("Activity log"))


def _with_lines(events: Iterable[Event]) -> list[Event]:
    """Return *events*, each with its ``line``: described together, not row by row."""
    events = list(events)
    for event, activity in zip(events, described(events), strict=True):
        event.line = Line.of(activity)  # type: ignore[attr-defined]
    return events


def _without_nul(query: QueryDict) -> QueryDict:
    """Return *query* without the one character that PostgreSQL does not take."""
    cleaned = query.copy()
    for name, values in cleaned.lists():
        cleaned.setlist(name, [value.replace("\0", "") for value in values])
    return cleaned


class ActivityLogAdmin(ModelAdmin):
    model = Event
    base_url_path = "email-insights/activities"
    menu_label = _("Activity log")
    menu_item_name = "email-activity-log"
    menu_icon = "history"
    # It stands in the app's own menu group.
    add_to_admin_menu = False
    index_view_class = ActivityIndexView
    index_template_name = "wagtail_email_insights/admin/activities/log.html"
    index_view_extra_css = ["wagtail_email_insights/admin.css"]
    permission_helper_class = ActivityPermissions
    history_view_enabled = False
    list_display = ("contact_link", "what", "about", "email_link", "when")
    list_filter = LOG_FILTERS
    list_select_related = ("contact", "mailing__email", "link", "recipient_list")
    list_per_page = 100
    search_fields = SEARCH_FIELDS
    ordering = ("-at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return queries.everything()

    def get_admin_urls_for_registration(self) -> tuple[Any, ...]:
        """Add the export of activities, those of one e-mail or contact too."""
        address = path(f"{self.base_url_path}/export/", export, name=EXPORT)
        return (address, *super().get_admin_urls_for_registration())

    def get_extra_class_names_for_field_col(self, obj: Event, field_name: str) -> list[str]:
        return CELL_CLASSES.get(field_name, [])

    @display(description=_("Contact"))
    def contact_link(self, event: Event) -> str:
        return _cell("contact", line=_line(event))

    @display(description=_("Activity"))
    def what(self, event: Event) -> str:
        return _cell("kind", line=_line(event))

    @display(description=_("Value"))
    def about(self, event: Event) -> str:
        return _cell("value", value=_line(event).activity.value)

    @display(description=_("E-mail"))
    def email_link(self, event: Event) -> str:
        return _link(_line(event).email_url, event.mailing.email) if event.mailing else ""

    @display(description=_("Time"), ordering="at")
    def when(self, event: Event) -> str:
        return _cell("time", at=event.at)

    def get_permissions_for_registration(self) -> QuerySet[Permission]:
        return Permission.objects.none()

    def register_indexing(self) -> None:
        """Events refer to much and come by the million: they stay out of the reference index."""

    def register_admin_url_finders(self) -> Any:
        """An event has no page of its own to be found."""


def _line(event: Any) -> Line:
    return event.line


def _cell(name: str, **context: Any) -> str:
    return render_to_string(f"wagtail_email_insights/admin/activities/{name}.html", context)


def _link(address: str, about: object) -> str:
    return format_html('<a href="{}">{}</a>', address, about)
