"""Screens for segments: the rule, who is in it now, and the whole list of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel
from wagtail.admin.ui.tables import Column, Table, UpdatedAtColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permission_policies import ModelPermissionPolicy

from ..contacts.models import Contact
from ..segments.models import Segment
from ..segments.queries import (
    UnknownCondition,
    contacts_in,
    permissions_needed,
    rule_in_words,
    rules_in_words,
)
from .addresses import contact_url
from .contacts import ContactIndexView
from .deleting import GuardedDelete
from .permissions import SEE_CONTACTS

SAMPLE_SIZE = 10
EMPTY_RULE = gettext_lazy("No conditions yet: nobody is in it.")
SEE_SEGMENTS = ["add", "change", "delete"]


@dataclass(frozen=True)
class Members:
    """Who is in a segment, as far as one user may know; ``problem`` when nobody can tell."""

    rule: str = ""
    count: int = 0
    sample: list[tuple[Contact, str]] = field(default_factory=list)
    problem: str = ""


def may_see_members(segment: Segment, user: Any) -> bool:
    """Tell whether *user* may see contacts, and what *segment* gives away about them."""
    sees_contacts = ModelPermissionPolicy(Contact).user_has_any_permission(user, SEE_CONTACTS)
    return sees_contacts and user.has_perms(permissions_needed(segment))


def members_of(segment: Segment, user: Any) -> Members:
    """Return the number of contacts and, for those who may see them, the newest few."""
    try:
        contacts = contacts_in(segment)
        rule = rule_in_words(segment)
    except UnknownCondition as error:
        return Members(problem=str(error))
    shown = contacts[:SAMPLE_SIZE] if may_see_members(segment, user) else []
    sample = [(row, contact_url(row.pk)) for row in shown]
    return Members(rule=rule, count=contacts.count(), sample=sample)


class SegmentIndexView(generic.IndexView):
    results_template_name = "wagtail_email_insights/admin/segments/index_results.html"
    list_display = ["name", Column("rule", label=_("Rule")), UpdatedAtColumn()]

    def get_table(self, object_list: Iterable[Segment]) -> Table:
        rules = rules_in_words(object_list)
        for segment in object_list:
            segment.rule = rules[segment.pk] or EMPTY_RULE  # type: ignore[attr-defined]
        return super().get_table(object_list)


class StaysOnPage:
    """Saving leads back to the form, where the new number of contacts is to be seen."""

    def get_success_url(self) -> str:
        return self.get_edit_url()  # type: ignore[attr-defined]

    def get_success_buttons(self) -> list[Any]:
        return []


class SegmentCreateView(StaysOnPage, generic.CreateView):
    pass


class SegmentCopyView(StaysOnPage, generic.CopyView):
    pass


class SegmentEditView(StaysOnPage, generic.EditView):
    template_name = "wagtail_email_insights/admin/segments/edit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # The form may hold unsaved, even invalid changes: count what is saved.
        saved = Segment.objects.get(pk=self.object.pk)
        return super().get_context_data(
            members=members_of(saved, self.request.user),
            members_url=reverse(f"{SegmentViewSet.name}:members", args=[saved.pk]),
            **kwargs,
        )


class SegmentMembersView(ContactIndexView):
    """The contacts in one segment, with the search and the filters of all contacts."""

    results_template_name = "wagtailadmin/generic/index_results.html"
    # Said here, because a viewset says it only for its own views before Wagtail 8.
    permission_policy = ModelPermissionPolicy(Contact)
    segment: Segment
    problem = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        policy = ModelPermissionPolicy(Segment)
        if not policy.user_has_any_permission(request.user, SEE_SEGMENTS):
            raise PermissionDenied
        self.segment = get_object_or_404(Segment, pk=kwargs["pk"])
        if not may_see_members(self.segment, request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_base_queryset(self) -> QuerySet[Contact]:
        everybody = super().get_base_queryset()
        try:
            return everybody.filter(pk__in=contacts_in(self.segment).order_by().values("pk"))
        except UnknownCondition as error:
            self.problem = str(error)
            return everybody.none()

    def get_index_url(self) -> str:
        return reverse(f"{SegmentViewSet.name}:members", args=[self.segment.pk])

    def get_index_results_url(self) -> str:
        return reverse(f"{SegmentViewSet.name}:members_results", args=[self.segment.pk])

    def get_page_title(self) -> str:
        return _("Contacts in “%(segment)s”") % {"segment": self.segment.name}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        segments = capfirst(str(Segment._meta.verbose_name_plural))
        edit_url = reverse(f"{SegmentViewSet.name}:edit", args=[self.segment.pk])
        return [
            *self.breadcrumbs_items,
            {"url": reverse(f"{SegmentViewSet.name}:index"), "label": segments},
            {"url": edit_url, "label": self.segment.name},
            {"url": "", "label": self.get_page_title()},
        ]

    @cached_property
    def no_results_message(self) -> str:
        if self.problem or self.is_searching or self.is_filtering:
            return self.problem or super().no_results_message
        return _("Nobody fulfils the rule of this segment at the moment.")


class SegmentDeleteView(GuardedDelete, generic.DeleteView):
    pass


class SegmentViewSet(ModelViewSet):
    model = Segment
    delete_view_class = SegmentDeleteView
    name = "email_segments"
    url_prefix = "email-insights/segments"
    icon = "crosshairs"
    index_view_class = SegmentIndexView
    add_view_class = SegmentCreateView
    edit_view_class = SegmentEditView
    copy_view_class = SegmentCopyView
    search_fields = ["name", "description"]
    ordering = "name"
    panels = [
        FieldPanel("name"),
        FieldPanel("description"),
        FieldPanel("match"),
        FieldPanel("conditions"),
    ]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/members/", self._members_view(), name="members"),
            path("<int:pk>/members/results/", self._members_view(True), name="members_results"),
        ]

    def _members_view(self, results_only: bool = False) -> Any:
        # Not construct_view: it would hand over this viewset's model, and these are contacts.
        return SegmentMembersView.as_view(
            header_icon=self.icon,
            paginate_by=50,
            inspect_url_name="email_contacts:inspect",
            results_only=results_only,
        )
