"""Who may do what with e-mails, beside Django's add, change and delete."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

APP = "wagtail_email_insights"
SEND = f"{APP}.send_email"
VIEW_STATISTICS = f"{APP}.view_statistics"
VIEW_ACTIVITIES = f"{APP}.view_activities"
EXPORT_CONTACTS = f"{APP}.export_contacts"
USE_RAW_HTML = f"{APP}.use_raw_html"
SEE_CONTACTS = ["add", "change", "delete", "view"]
"""Actions on contacts of which any one lets somebody see them, as Wagtail has it."""


class RequiresPermission:
    """View mixin: refuses everybody without ``required_permission``."""

    required_permission: str
    request: HttpRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not has(request.user, self.required_permission):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


def has(user: Any, permission: str) -> bool:
    return bool(user.has_perm(permission))
