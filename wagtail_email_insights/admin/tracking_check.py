"""The screen that tests tracking, switch by switch."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.models import Site

from ..site_settings.models import EmailSettings
from ..statistics import (
    checks_of_consent,
    checks_of_recording,
    checks_of_sending,
    tracking_check,
)
from ..statistics.tracking_check import Checked, State
from . import tracking_checks
from .permissions import VIEW_STATISTICS, RequiresPermission, has
from .side_panels import LIVE_MEDIA

NAME = "email_tracking_check"

PARTS = {
    _("On the way out"): checks_of_sending.CHECKS,
    _("On the way back"): [*checks_of_recording.CHECKS, *tracking_checks.FEEDBACK],
    _("Who may be known"): [*tracking_checks.FORMS, *checks_of_consent.CHECKS],
}

ICONS = {
    State.OK: "success",
    State.OFF: "minus",
    State.ATTENTION: "warning",
    State.BROKEN: "cross",
}


class TrackingCheckPage(RequiresPermission, WagtailAdminTemplateMixin, View):
    """Runs every check when it is opened; some of them ask this site over the network."""

    required_permission = VIEW_STATISTICS
    page_title = _("Tracking check")
    header_icon = "clipboard-list"
    template_name = "wagtail_email_insights/admin/tracking/check.html"
    _show_breadcrumbs = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.get_header_title()}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site = Site.find_for_request(self.request) or Site.objects.first()
        parts = [(title, tracking_check.run(checks, site)) for title, checks in PARTS.items()]
        everything = [checked for _title, part in parts for checked in part]
        return super().get_context_data(
            parts=[(title, [_card(one, site) for one in part]) for title, part in parts],
            worst=tracking_check.worst_of(everything),
            site=site,
            media=LIVE_MEDIA,
            **kwargs,
        )


class TrackingCheckMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return has(request.user, VIEW_STATISTICS)


class TrackingCheckViewSet(ViewSet):
    name = NAME
    url_prefix = "email-insights/tracking-check"
    icon = "clipboard-list"
    menu_label = _("Tracking check")
    menu_item_class = TrackingCheckMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        return [path("", TrackingCheckPage.as_view(), name="index")]


def _card(checked: Checked, site: Site | None) -> dict[str, Any]:
    return {
        "code": checked.check.code,
        "label": checked.check.label,
        "result": checked.result,
        "icon": ICONS[checked.result.state],
        "url": _place(checked.result.place, site),
    }


def _place(name: str, site: Site | None) -> str:
    """Return the address of the screen where something can be put right, if there is one."""
    settings_of_site = (EmailSettings._meta.app_label, EmailSettings._meta.model_name)
    names: dict[str, tuple[str, list[Any]]] = {
        "consents": ("email_consents:index", []),
        "contacts": ("email_contacts:index", []),
        "lists": ("email_lists:index", []),
        "email_settings": (
            "wagtailsettings:edit",
            [*settings_of_site, *([site.pk] if site else [])],
        ),
    }
    if name not in names:
        return ""
    try:
        view, args = names[name]
        return reverse(view, args=args)
    except NoReverseMatch:
        return ""
