"""The list of contacts with its filters, and the screens that change one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.admin.ui.tables import (
    BooleanColumn,
    ButtonsColumnMixin,
    Column,
    DateColumn,
    StatusTagColumn,
    TitleColumn,
)
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet

from ..consents.queries import may_be_known
from ..contacts.models import Contact, RecipientList, Subscription, SubscriptionStatus
from . import contact_page
from .addresses import contact_url
from .standing import active_suppressions, is_reachable, standing_in_words, with_standing

SUPPRESSED = "suppressed"
ON_NO_LIST = "none"
STANDINGS = [
    *SubscriptionStatus.choices,
    (SUPPRESSED, gettext_lazy("Suppressed: gets nothing")),
    (ON_NO_LIST, gettext_lazy("On no list")),
]


def _subscribed_lists(contact: Contact) -> str:
    return ", ".join(
        subscription.recipient_list.name
        for subscription in contact.subscriptions.all()
        if subscription.status == SubscriptionStatus.SUBSCRIBED
    )


class ContactFilterSet(WagtailFilterSet):
    """List and standing mean the same subscription: "not confirmed" *on that list*."""

    recipient_list = django_filters.ModelChoiceFilter(
        queryset=RecipientList.objects.all(), label=gettext_lazy("List")
    )
    standing = django_filters.ChoiceFilter(choices=STANDINGS, label=gettext_lazy("Standing"))
    known = django_filters.ChoiceFilter(
        choices=[
            ("yes", gettext_lazy("Agreed to tracking")),
            ("no", gettext_lazy("Not agreed to tracking")),
        ],
        label=gettext_lazy("Consent"),
    )

    class Meta:
        model = Contact
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        wanted = self.form.cleaned_data
        queryset = queryset.filter(_has_standing(wanted["recipient_list"], wanted["standing"]))
        if wanted["known"]:
            known = may_be_known()
            queryset = queryset.filter(known if wanted["known"] == "yes" else ~known)
        return queryset


def _has_standing(recipient_list: RecipientList | None, standing: str) -> Q:
    subscriptions = Subscription.objects.filter(contact=OuterRef("pk"))
    if recipient_list:
        subscriptions = subscriptions.filter(recipient_list=recipient_list)
    if standing == SUPPRESSED:
        return _on(subscriptions, recipient_list) & Q(Exists(active_suppressions()))
    if standing == ON_NO_LIST:
        return ~Q(Exists(subscriptions))
    if standing:
        return Q(Exists(subscriptions.filter(status=standing)))
    return _on(subscriptions, recipient_list)


def _on(subscriptions: QuerySet, recipient_list: RecipientList | None) -> Q:
    return Q(Exists(subscriptions)) if recipient_list else Q()


class ContactColumn(ButtonsColumnMixin, TitleColumn):
    """The address; it leads to all that is known of the contact, its form is among the buttons."""

    def __init__(self, buttons: Callable[[Contact], list[Any]]) -> None:
        super().__init__("email", label=_("E-mail address"), sort_key="email")
        self._buttons = buttons

    def get_link_url(self, instance: Contact, parent_context: Any) -> str:
        return contact_url(instance.pk)

    def get_buttons(self, instance: Contact, parent_context: Any) -> list[Any]:
        return self._buttons(instance)


class ContactIndexView(generic.IndexView):
    """Contacts with search by every word of the query, in the address or the name."""

    model = Contact
    search_fields = ["email", "first_name", "last_name"]
    results_template_name = "wagtail_email_insights/admin/contacts/index_results.html"
    filterset_class = ContactFilterSet
    default_ordering = "-id"

    @cached_property
    def list_display(self) -> list[Any]:
        return [
            ContactColumn(self.get_list_buttons),
            Column("name", label=_("Name")),
            Column("lists", label=_("Subscribed to"), accessor=_subscribed_lists),
            StatusTagColumn(
                "standing", label=_("Standing"), accessor=standing_in_words, primary=is_reachable
            ),
            BooleanColumn("is_known", label=_("Agreed to tracking")),
            DateColumn("created_at", label=_("Since"), sort_key="created_at"),
        ]

    def get_base_queryset(self) -> QuerySet[Contact]:
        return with_standing(super().get_base_queryset())

    def search_queryset(self, queryset: QuerySet) -> QuerySet:
        for word in self.search_query.split():
            anywhere = [Q((f"{field}__icontains", word)) for field in self.search_fields]
            queryset = queryset.filter(Q(*anywhere, _connector=Q.OR))
        return queryset


class ContactDeleteView(generic.DeleteView):
    @property
    def confirmation_message(self) -> str:
        return _(
            "Subscriptions and consents of this contact are deleted too. What was counted stays "
            "counted, without the name. Are you sure?"
        )


class ContactViewSet(ModelViewSet):
    model = Contact
    name = "email_contacts"
    url_prefix = "email-insights/contacts"
    icon = "user"
    index_view_class = ContactIndexView
    inspect_view_class = contact_page.ContactPage
    delete_view_class = ContactDeleteView
    inspect_view_enabled = True
    copy_view_enabled = False
    # A contact refers to nothing: no index row per contact, however many are imported.
    add_to_reference_index = False
    list_per_page = 50
    search_fields = ContactIndexView.search_fields
    filterset_class = ContactFilterSet
    panels = [
        FieldPanel("email"),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("first_name"), FieldPanel("last_name")]),
                FieldPanel("language"),
            ],
            heading=gettext_lazy("Person"),
        ),
        FieldPanel("do_not_track", widget=forms.CheckboxInput),
    ]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("timeline/<int:pk>/", contact_page.timeline, name="timeline"),
        ]
