"""The furniture of our own admin pages: breadcrumbs down from the list of e-mails."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from ..emails.models import Email
from .addresses import email_url
from .permissions import RequiresPermission
from .side_panels import LIVE_MEDIA


class EmailPage(RequiresPermission, WagtailAdminTemplateMixin, View):
    """A full admin page about one e-mail, named by ``pk`` in the address."""

    header_icon = "mail"
    _show_breadcrumbs = True

    request: HttpRequest
    kwargs: dict[str, Any]

    @cached_property
    def email(self) -> Email:
        return get_object_or_404(Email, pk=self.kwargs["pk"])

    def get_page_subtitle(self) -> str:
        return str(self.email)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(Email.snippet_viewset.get_url_name("list")), "label": _("Emails")},
            {"url": email_url("edit", self.email), "label": str(self.email)},
            {"url": "", "label": self.get_header_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {
            "email": self.email,
            "media": LIVE_MEDIA,
            "edit_url": email_url("edit", self.email),
            "send_url": email_url("send", self.email),
        }
