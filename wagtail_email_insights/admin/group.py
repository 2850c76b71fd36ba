"""The menu "Email": every screen of the app in one place."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.snippets.views.snippets import SnippetViewSetGroup

from .activity_log import ActivityLogAdmin
from .consents import ConsentViewSet
from .contacts import ContactViewSet
from .digests import DigestViewSet
from .emails import EmailViewSet
from .lists import RecipientListViewSet
from .overview_routes import OverviewViewSet
from .replies import ReplyViewSet
from .segments import SegmentViewSet
from .senders import SenderViewSet
from .suppressions import SuppressionViewSet
from .tracking_check import TrackingCheckViewSet

activity_log = ActivityLogAdmin()


class EmailGroup(SnippetViewSetGroup):
    items = (
        OverviewViewSet,
        EmailViewSet,
        ContactViewSet,
        RecipientListViewSet,
        SegmentViewSet,
        ReplyViewSet,
        DigestViewSet,
        ConsentViewSet,
        SuppressionViewSet,
        SenderViewSet,
        TrackingCheckViewSet,
    )
    menu_label = _("Email")
    menu_name = "email-insights"
    menu_icon = "mail"
    menu_order = 250

    def get_submenu_items(self) -> list[MenuItem]:
        items = super().get_submenu_items()
        return [*items, activity_log.get_menu_item(order=len(items) + 1)]
