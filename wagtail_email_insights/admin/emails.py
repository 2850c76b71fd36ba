"""The e-mail snippet in the admin: the editor with its side panels, and the way to sending."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.widgets.button import Button, HeaderButton
from wagtail.snippets.views import snippets

from ..emails.models import Email
from . import activities, diagnostics, sending, statistics_routes
from .addresses import email_url
from .email_chooser import EmailChooserViewSet
from .email_forms import EmailForm
from .email_list import LIST_DISPLAY, EmailIndexView
from .merge_tags_help import MergeTagsHelp
from .permissions import SEND, VIEW_ACTIVITIES, VIEW_STATISTICS, has
from .side_panels import ActivitiesPanel, StatisticsPanel

SEND_ACTION = "action-send"


def title_of_copy(title: str) -> str:
    """Return the title that a copy of an e-mail begins with, so that the two can be told apart."""
    marked = gettext("%(title)s (copy)")
    longest = Email._meta.get_field("title").max_length or 0
    room = longest - len(marked % {"title": ""})
    return marked % {"title": title[:room]} if title else ""


class EditorMixin:
    """What creating, copying and editing an e-mail share."""

    request: HttpRequest
    panel_permissions: dict[type, str] = {
        StatisticsPanel: VIEW_STATISTICS,
        ActivitiesPanel: VIEW_ACTIVITIES,
    }

    def get_side_panels(self) -> MediaContainer:
        """Add our panels, and drop Wagtail's content checks: they cannot read e-mail markup."""
        panels = [
            panel
            for panel in super().get_side_panels()  # type: ignore[misc]
            if panel.name != "checks"
        ]
        if not self._is_partial():
            panels += [
                panel(self._edited_object(), self.request)
                for panel, permission in self.panel_permissions.items()
                if has(self.request.user, permission)
            ]
        return MediaContainer(panels)

    def get_success_url(self) -> str:
        if SEND_ACTION in self.request.POST and has(self.request.user, SEND):
            return email_url("send", self.object)  # type: ignore[attr-defined]
        return super().get_success_url()  # type: ignore[misc]

    def _is_partial(self) -> bool:
        """Autosave swaps the content of panels it gets; ours fetch their own."""
        return self.expects_json_response or getattr(  # type: ignore[attr-defined]
            self, "hydrate_create_view", False
        )

    def _edited_object(self) -> Email:
        return self.form.instance  # type: ignore[attr-defined]


class EmailCreateView(EditorMixin, snippets.CreateView):
    pass


class EmailCopyView(EditorMixin, snippets.CopyView):
    def get_initial_form_instance(self) -> Email:
        original: Email = super().get_initial_form_instance()
        original.title = title_of_copy(original.title)
        return original


class EmailEditView(EditorMixin, snippets.EditView):
    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        """Show the next step beside the title; saving and going on is in the foot of the form."""
        if self.locked_for_user or not has(self.request.user, SEND):
            return []
        return [HeaderButton(_("Send"), url=email_url("send", self.object), icon_name="mail")]

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        buttons = list(super().header_more_buttons)
        user = self.request.user
        started = self.object.mailings.started().exists()
        if started and has(user, SEND):
            buttons.append(_button(_("Send to more people"), "mail", "send", self.object, 2))
        if started and has(user, VIEW_STATISTICS):
            buttons.append(
                _button(_("Statistics"), "email-statistics", "statistics", self.object, 3)
            )
        if started and has(user, VIEW_ACTIVITIES):
            buttons.append(_button(_("Contact activities"), "group", "activities", self.object, 4))
        return buttons


class EmailViewSet(snippets.SnippetViewSet):
    model = Email
    icon = "mail"
    menu_label = _("Emails")
    menu_name = "emails"
    url_prefix = "email-insights/emails"
    list_display = LIST_DISPLAY
    list_per_page = 50
    index_view_class = EmailIndexView
    add_view_class = EmailCreateView
    copy_view_class = EmailCopyView
    edit_view_class = EmailEditView
    chooser_viewset_class = EmailChooserViewSet

    def get_edit_handler(self) -> ObjectList:
        handler = ObjectList(
            [
                FieldPanel("title", required_on_save=True),
                MultiFieldPanel(
                    [FieldPanel("subject"), FieldPanel("preheader")], heading=_("In the inbox")
                ),
                MergeTagsHelp(heading=_("Readers' names in the e-mail"), classname="collapsed"),
                FieldPanel("body"),
            ],
            base_form_class=EmailForm,
        )
        return handler.bind_to_model(self.model)

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            *statistics_routes.urlpatterns,
            path("activities/<int:pk>/", activities.page, name="activities"),
            path("activities/<int:pk>/fragment/", activities.fragment, name="activities_fragment"),
            path("activities/<int:pk>/coverage/", activities.coverage, name="activities_coverage"),
            path("findings/<int:pk>/<slug:code>/mute/", diagnostics.mute, name="mute"),
            path("findings/<int:pk>/<slug:code>/unmute/", diagnostics.unmute, name="unmute"),
            path("send/<int:pk>/", sending.send, name="send"),
            path("test/<int:pk>/", sending.send_test, name="send_test"),
            path("mailing/<int:pk>/", sending.mailing, name="mailing"),
            path("mailing/<int:pk>/progress/", sending.progress, name="mailing_progress"),
            path("mailing/<int:pk>/<slug:verb>/", sending.act, name="mailing_act"),
        ]


def _button(label: Any, icon: str, name: str, email: Email, priority: int) -> Button:
    return Button(label, url=email_url(name, email), icon_name=icon, priority=priority)
