"""The two panels beside an e-mail: Statistics and Contact activities."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.side_panels import BaseSidePanel

from ..conf import app_settings
from .addresses import email_url

LIVE_MEDIA = forms.Media(
    css={"all": ["wagtail_email_insights/admin.css"]}, js=["wagtail_email_insights/live.js"]
)


class LivePanel(BaseSidePanel):
    """A panel whose content is fetched when it is opened and kept fresh while it is visible."""

    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        has_counter = False

    template_name = "wagtail_email_insights/admin/emails/side_panel.html"
    view_name: str
    fragment_name: str
    note_name = ""
    """A part below it that is fetched once."""

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        context = super().get_context_data(parent_context)
        if self.object.pk and self.object.mailings.started().exists():
            context |= {
                "page_url": self._url(self.view_name),
                "fragment_url": self._url(self.fragment_name),
                "note_url": self._url(self.note_name) if self.note_name else "",
                "refresh_seconds": app_settings.refresh_seconds,
            }
        return context

    def _url(self, name: str) -> str:
        return email_url(name, self.object)

    @property
    def media(self) -> forms.Media:
        return LIVE_MEDIA


class StatisticsPanel(LivePanel):
    class SidePanelToggle(LivePanel.SidePanelToggle):
        aria_label = _("Toggle statistics")
        icon_name = "email-statistics"

    name = "statistics"
    title = _("Statistics")
    order = 150
    view_name = "statistics"
    fragment_name = "statistics_fragment"


class ActivitiesPanel(LivePanel):
    class SidePanelToggle(LivePanel.SidePanelToggle):
        aria_label = _("Toggle contact activities")
        icon_name = "group"

    name = "activities"
    title = _("Contact activities")
    order = 160
    view_name = "activities"
    fragment_name = "activities_fragment"
    note_name = "activities_coverage"
