"""What people answered: a list to go through, and one reply to read. Nothing can be changed."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.permission_policies import BlanketPermissionPolicy

from ..emails.models import Email
from ..feedback.models import Reply
from .contacts import contact_url
from .permissions import VIEW_ACTIVITIES, RequiresPermission, has

EXCERPT_WORDS = 30


def replies_of_contact_url(contact_id: int) -> str:
    """Return the address of the replies that one contact wrote."""
    return f"{reverse(f'{ReplyViewSet.name}:index')}?{urlencode({'contact': contact_id})}"


def reply_url(reply: Reply) -> str:
    """Return the address of the screen that shows one reply."""
    return reverse(f"{ReplyViewSet.name}:read", args=[reply.pk])


def who_wrote(reply: Reply) -> str:
    return str(reply.event.contact or _("Deleted contact"))


def with_event(replies: QuerySet[Reply]) -> QuerySet[Reply]:
    return replies.select_related("event__contact", "event__mailing__email")


class ReplyFilterSet(WagtailFilterSet):
    email = django_filters.ModelChoiceFilter(
        field_name="event__mailing__email",
        queryset=Email.objects.filter(mailings__isnull=False).distinct(),
        label=gettext_lazy("E-mail"),
    )

    class Meta:
        model = Reply
        fields: list[str] = []


class ReplyIndexView(RequiresPermission, generic.IndexView):
    """Newest first; ``?contact=7`` shows those of one contact."""

    required_permission = VIEW_ACTIVITIES
    # Reading is asked for above; nobody may do anything else.
    permission_policy = BlanketPermissionPolicy(None)
    any_permission_required: list[str] = []
    model = Reply
    page_title = gettext_lazy("Replies")
    header_icon = "mail"
    results_template_name = "wagtail_email_insights/admin/feedback/replies_results.html"
    filterset_class = ReplyFilterSet
    search_fields = ["event__contact__email", "subject", "text"]
    default_ordering = "-event__at"
    paginate_by = 50
    _show_breadcrumbs = True

    @cached_property
    def columns(self) -> list[Column]:
        return [
            TitleColumn("who", label=_("Contact"), accessor=who_wrote, get_url=reply_url),
            Column("text", label=_("Reply"), accessor=_excerpt),
            Column("email", label=_("E-mail"), accessor="event.mailing.email"),
            DateColumn("at", label=_("Time"), accessor="event.at", sort_key="event__at"),
        ]

    def get_base_queryset(self) -> QuerySet[Reply]:
        replies = with_event(Reply.objects.all())
        contact = self.request.GET.get("contact", "")
        return replies.filter(event__contact=int(contact)) if _is_id(contact) else replies


class ReplyView(RequiresPermission, WagtailAdminTemplateMixin, TemplateView):
    """One reply, as text: nothing of what a stranger mailed is ever interpreted here."""

    required_permission = VIEW_ACTIVITIES
    template_name = "wagtail_email_insights/admin/feedback/reply.html"
    page_title = gettext_lazy("Reply")
    header_icon = "mail"
    _show_breadcrumbs = True

    @cached_property
    def reply(self) -> Reply:
        return get_object_or_404(with_event(Reply.objects.all()), pk=self.kwargs["pk"])

    def get_page_subtitle(self) -> str:
        return who_wrote(self.reply)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(f"{ReplyViewSet.name}:index"), "label": _("Replies")},
            {"url": "", "label": self.get_page_title(), "sublabel": self.get_page_subtitle()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        contact_id = self.reply.event.contact_id
        return super().get_context_data(
            reply=self.reply,
            who=who_wrote(self.reply),
            contact_url=contact_url(contact_id) if contact_id else "",
            **kwargs,
        )


class ReplyMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return has(request.user, VIEW_ACTIVITIES)


class ReplyViewSet(ViewSet):
    name = "email_replies"
    url_prefix = "email-insights/replies"
    icon = "mail"
    menu_label = gettext_lazy("Replies")
    menu_item_class = ReplyMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self._index_view(), name="index"),
            path("results/", self._index_view(results_only=True), name="index_results"),
            path("<int:pk>/", ReplyView.as_view(), name="read"),
        ]

    def _index_view(self, *, results_only: bool = False) -> Any:
        return self.construct_view(
            ReplyIndexView,
            results_only=results_only,
            index_url_name=self.get_url_name("index"),
            index_results_url_name=self.get_url_name("index_results"),
        )


def _excerpt(reply: Reply) -> str:
    return Truncator(reply.text).words(EXCERPT_WORDS)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
