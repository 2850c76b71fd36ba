"""Screens for recipient lists, with how many people stand where on each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, TitleFieldPanel
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets import SlugInput
from wagtail.admin.widgets.button import Button
from wagtail.permission_policies import ModelPermissionPolicy

from ..contacts.models import Contact, RecipientList, SubscriptionStatus
from .contacts import ContactViewSet
from .deleting import GuardedDelete
from .permissions import SEE_CONTACTS

COLUMNS = (
    SubscriptionStatus.SUBSCRIBED,
    SubscriptionStatus.PENDING,
    SubscriptionStatus.UNSUBSCRIBED,
)


def with_numbers(lists: QuerySet[RecipientList]) -> QuerySet[RecipientList]:
    """Add one number per standing, named after it: ``subscribed``, ``pending`` …"""
    return lists.annotate(
        **{
            status.value: Count("subscriptions", filter=Q(subscriptions__status=status))
            for status in SubscriptionStatus
        }
    )


def contacts_url(recipient_list: RecipientList, standing: str = "") -> str:
    """Return the address of the contacts on *recipient_list*, with search and paging."""
    query: dict[str, int | str] = {"recipient_list": recipient_list.pk}
    if standing:
        query["standing"] = standing
    return f"{reverse(f'{ContactViewSet.name}:index')}?{urlencode(query)}"


def _linked_number(status: str) -> Callable[[RecipientList], str]:
    def number(recipient_list: RecipientList) -> str:
        return format_html(
            '<a href="{}">{}</a>',
            contacts_url(recipient_list, status),
            number_format(getattr(recipient_list, status), force_grouping=True),
        )

    return number


class MaySeeContacts:
    """For views: does the user have any permission on contacts?"""

    @cached_property
    def may_see_contacts(self) -> bool:
        user = self.request.user  # type: ignore[attr-defined]
        return ModelPermissionPolicy(Contact).user_has_any_permission(user, SEE_CONTACTS)


class ListIndexView(MaySeeContacts, generic.IndexView):
    results_template_name = "wagtail_email_insights/admin/lists/index_results.html"

    @cached_property
    def list_display(self) -> list[Any]:
        return [
            "name",
            *(self._number_column(status) for status in COLUMNS),
            BooleanColumn("double_opt_in", label=_("Confirmed by e-mail")),
        ]

    def _number_column(self, status: SubscriptionStatus) -> Column:
        # The numbers lead to people only for those who may see people.
        accessor = _linked_number(status.value) if self.may_see_contacts else status.value
        return Column(status.value, label=status.label, accessor=accessor, sort_key=status.value)

    def get_base_queryset(self) -> QuerySet[RecipientList]:
        return with_numbers(super().get_base_queryset())


class ListEditView(MaySeeContacts, generic.EditView):
    @cached_property
    def header_more_buttons(self) -> list[Button]:
        buttons = super().header_more_buttons
        if self.may_see_contacts:
            url = contacts_url(self.object)
            buttons.append(Button(_("Contacts on this list"), url=url, icon_name="group"))
        return buttons


class ListDeleteView(GuardedDelete, generic.DeleteView):
    @property
    def confirmation_message(self) -> str:
        return _(
            "All subscriptions to this list are deleted with it; the contacts stay. Are you sure?"
        )


class RecipientListViewSet(ModelViewSet):
    model = RecipientList
    name = "email_lists"
    url_prefix = "email-insights/lists"
    icon = "list-ul"
    index_view_class = ListIndexView
    edit_view_class = ListEditView
    delete_view_class = ListDeleteView
    copy_view_enabled = False
    search_fields = ["name", "slug"]
    ordering = "name"
    panels = [
        TitleFieldPanel("name", placeholder=gettext_lazy("Name*")),
        # The code stands in addresses: plain letters only, whatever the site does for pages.
        FieldPanel("slug", widget=SlugInput(attrs={"data-w-slug-allow-unicode-value": "false"})),
        FieldPanel("description"),
        MultiFieldPanel(
            [
                FieldPanel("double_opt_in"),
                FieldPanel("thank_you_text"),
                FieldPanel("send_welcome_mail"),
            ],
            heading=gettext_lazy("When people come"),
        ),
        MultiFieldPanel(
            [FieldPanel("goodbye_text"), FieldPanel("send_goodbye_mail")],
            heading=gettext_lazy("When people go"),
        ),
    ]
