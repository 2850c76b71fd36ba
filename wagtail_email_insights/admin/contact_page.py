"""One contact with all that is known: standing, consents, and what they did."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.ui.tables import Column, DateColumn, StatusTagColumn, Table
from wagtail.admin.views import generic
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.permission_policies import ModelPermissionPolicy

from ..activities.filters import ActivityFilter
from ..activities.queries import of_contact
from ..conf import app_settings
from ..consents.models import ConsentRecord
from ..contacts.models import Contact, SubscriptionStatus, SuppressionReason
from ..tracking.models import EventKind
from .activity_feed import Feed, export_urls, read, with_query
from .addresses import contact_url
from .permissions import SEE_CONTACTS, VIEW_ACTIVITIES, RequiresPermission, has
from .side_panels import LIVE_MEDIA
from .standing import standing_in_words, with_standing

ON_PAGE = 50
BOUNCE_REASONS = (SuppressionReason.HARD_BOUNCE, SuppressionReason.SOFT_BOUNCES)


class ContactPage(generic.InspectView):
    """One person: standing, consents with the wording agreed to, and the timeline."""

    template_name = "wagtail_email_insights/admin/contacts/inspect.html"
    page_title = gettext_lazy("Contact")

    def get_object(self, queryset: QuerySet | None = None) -> Contact:
        return get_object_or_404(with_standing(Contact.objects.all()), pk=self.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            contact=self.object,
            media=LIVE_MEDIA,
            standing=standing_in_words(self.object),
            subscriptions=_subscription_table(self.object),
            consents=_consent_table(self.object),
            may_reset_bounces=self._may_reset_bounces(),
            reset_bounces_url=reverse("email_suppressions:reset_bounces", args=[self.object.pk]),
            replies_url=f"{reverse('email_replies:index')}?contact={self.object.pk}",
            **self._timeline(),
            **kwargs,
        )

    def _may_reset_bounces(self) -> bool:
        contact: Any = self.object
        came_back = contact.soft_bounces or contact.suppression in BOUNCE_REASONS
        may_change = self.request.user.has_perm("wagtail_email_insights.change_contact")
        return bool(came_back and may_change)

    def _timeline(self) -> dict[str, Any]:
        if not has(self.request.user, VIEW_ACTIVITIES):
            return {"may_see_activities": False}
        feed = timeline_of(self.object, self.request)
        address = reverse("email_contacts:timeline", args=[self.object.pk])
        return {
            "may_see_activities": True,
            "feed": feed,
            "chosen": feed.chosen,
            "offer": {"kinds": EventKind.choices},
            "is_timeline": True,
            "fragment_url": with_query(address, feed.chosen.to_query()),
            "exports": export_urls(self.request.user, feed.chosen, contact=self.object.pk),
            "refresh_seconds": app_settings.refresh_seconds,
        }


class Timeline(RequiresPermission, PermissionCheckedMixin, TemplateView):
    """The activities alone, as they are fetched again and again."""

    required_permission = VIEW_ACTIVITIES
    permission_policy = ModelPermissionPolicy(Contact)
    any_permission_required = SEE_CONTACTS
    template_name = "wagtail_email_insights/admin/activities/feed.html"

    @cached_property
    def contact(self) -> Contact:
        return get_object_or_404(Contact, pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        feed = timeline_of(self.contact, self.request)
        return super().get_context_data(feed=feed, is_timeline=True, **kwargs)


def timeline_of(contact: Contact, request: HttpRequest) -> Feed:
    """Return the page of *contact*'s activities that *request* asks for."""
    wanted = ActivityFilter.from_query(request.GET)
    # Lists, segments and names say nothing about one contact.
    chosen = ActivityFilter(
        kinds=wanted.kinds,
        since=wanted.since,
        until=wanted.until,
        oldest_first=wanted.oldest_first,
    )
    return read(
        of_contact(contact), chosen, request.GET, address=contact_url(contact.pk), size=ON_PAGE
    )


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


timeline = Timeline.as_view()
