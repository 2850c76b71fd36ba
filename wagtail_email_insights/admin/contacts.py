"""Screens for contacts: the list with its filters, and one person with all that is known."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.core.paginator import Page
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.paginator import WagtailPaginator
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.admin.ui.tables import BooleanColumn, Column, DateColumn, StatusTagColumn, Table
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet

from ..activities.queries import of_contact
from ..activities.wording import value_of
from ..consents.models import ConsentRecord
from ..consents.queries import may_be_known
from ..contacts.models import (
    Contact,
    RecipientList,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)

ACTIVITIES_PER_PAGE = 100
SUPPRESSED = "suppressed"
ON_NO_LIST = "none"
STANDINGS = [
    *SubscriptionStatus.choices,
    (SUPPRESSED, gettext_lazy("Suppressed: gets nothing")),
    (ON_NO_LIST, gettext_lazy("On no list")),
]
BOUNCE_REASONS = (SuppressionReason.HARD_BOUNCE, SuppressionReason.SOFT_BOUNCES)
SEE_CONTACTS = ["add", "change", "delete", "view"]


def _active_suppressions() -> QuerySet[Suppression]:
    return Suppression.objects.active().filter(email=OuterRef("email"))


def with_standing(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """Add what a row of the list shows; two queries for any number of rows."""
    subscriptions = Subscription.objects.select_related("recipient_list").order_by(
        "recipient_list__name"
    )
    return contacts.annotate(
        is_known=Case(
            When(may_be_known(), then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        ),
        suppression=Subquery(_active_suppressions().values("reason")[:1]),
    ).prefetch_related(Prefetch("subscriptions", queryset=subscriptions))


def standing_in_words(contact: Any) -> str:
    """Return the best standing on any list, or why nothing is sent at all."""
    if contact.suppression:
        return str(SuppressionReason(contact.suppression).label)
    reached = {subscription.status for subscription in contact.subscriptions.all()}
    for status in (
        SubscriptionStatus.SUBSCRIBED,
        SubscriptionStatus.PENDING,
        SubscriptionStatus.UNSUBSCRIBED,
    ):
        if status in reached:
            return str(status.label)
    return _("On no list")


def is_reachable(contact: Any) -> bool:
    """Tell whether a mailing to some list would reach *contact*; needs ``with_standing``."""
    return not contact.suppression and any(
        subscription.status == SubscriptionStatus.SUBSCRIBED
        for subscription in contact.subscriptions.all()
    )


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
        return _on(subscriptions, recipient_list) & Q(Exists(_active_suppressions()))
    if standing == ON_NO_LIST:
        return ~Q(Exists(subscriptions))
    if standing:
        return Q(Exists(subscriptions.filter(status=standing)))
    return _on(subscriptions, recipient_list)


def _on(subscriptions: QuerySet, recipient_list: RecipientList | None) -> Q:
    return Q(Exists(subscriptions)) if recipient_list else Q()


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
            "email",
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


class ContactInspectView(generic.InspectView):
    """One person: standing, consents with the wording agreed to, and the activities."""

    template_name = "wagtail_email_insights/admin/contacts/inspect.html"
    page_title = gettext_lazy("Contact")

    def get_object(self, queryset: QuerySet | None = None) -> Contact:
        return get_object_or_404(with_standing(Contact.objects.all()), pk=self.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            contact=self.object,
            standing=standing_in_words(self.object),
            subscriptions=_subscription_table(self.object),
            consents=_consent_table(self.object),
            may_reset_bounces=self._may_reset_bounces(),
            reset_bounces_url=reverse("email_suppressions:reset_bounces", args=[self.object.pk]),
            replies_url=f"{reverse('email_replies:index')}?contact={self.object.pk}",
            **self._activities(),
            **kwargs,
        )

    def _may_reset_bounces(self) -> bool:
        contact: Any = self.object
        came_back = contact.soft_bounces or contact.suppression in BOUNCE_REASONS
        may_change = self.request.user.has_perm("wagtail_email_insights.change_contact")
        return bool(came_back and may_change)

    def _activities(self) -> dict[str, Any]:
        if not self.request.user.has_perm("wagtail_email_insights.view_activities"):
            return {"may_see_activities": False}
        page = self._activity_page()
        return {
            "may_see_activities": True,
            "activity_page": page,
            "activities": _activity_table(page),
            "elided_page_range": page.paginator.get_elided_page_range(page.number),
            "inspect_url": self.request.path,
        }

    def _activity_page(self) -> Page:
        events = of_contact(self.object)
        return WagtailPaginator(events, ACTIVITIES_PER_PAGE).get_page(self.request.GET.get("p"))


def _subscription_table(contact: Contact) -> Table:
    columns = [
        Column("recipient_list", label=_("List")),
        StatusTagColumn(
            "status",
            label=_("Standing"),
            accessor="get_status_display",
            primary=lambda row: row.status == SubscriptionStatus.SUBSCRIBED,
        ),
        DateColumn("changed_at", label=_("Since")),
        Column("source", label=_("Source")),
    ]
    return Table(columns, list(contact.subscriptions.all()))


def _consent_table(contact: Contact) -> Table:
    columns = [
        Column("consent", label=_("Consent")),
        Column("action", label=_("Action"), accessor="get_action_display"),
        Column("version", label=_("Wording shown")),
        DateColumn("at", label=_("Time")),
        Column("source", label=_("Source")),
    ]
    records = ConsentRecord.objects.filter(contact=contact).select_related("consent", "version")
    return Table(columns, list(records))


def _activity_table(page: Page) -> Table:
    columns = [
        Column("kind", label=_("Activity"), accessor="get_kind_display"),
        Column("value", label=_("Value"), accessor=value_of),
        Column("email", label=_("E-mail"), accessor="mailing.email"),
        DateColumn("at", label=_("Time")),
    ]
    return Table(columns, list(page))


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
    inspect_view_class = ContactInspectView
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


def contact_url(contact_id: int | None) -> str:
    """Return the address of the screen that shows one contact."""
    return reverse(f"{ContactViewSet.name}:inspect", args=[contact_id])
