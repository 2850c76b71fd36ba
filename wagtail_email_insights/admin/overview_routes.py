"""Where the overview is: an address, and the first line of the menu."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import URLPattern, path
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.base import ViewSet

from .comparing import ComparePage
from .home_panel import HomePanelFragment
from .overview import NAME, TITLE, OverviewFragment, OverviewPage
from .permissions import VIEW_STATISTICS, has


class OverviewMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return has(request.user, VIEW_STATISTICS)


class OverviewViewSet(ViewSet):
    name = NAME
    url_prefix = "email-insights/overview"
    icon = "email-statistics"
    menu_label = TITLE
    menu_item_class = OverviewMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", OverviewPage.as_view(), name="index"),
            path("figures/", OverviewFragment.as_view(), name="fragment"),
            path("home/", HomePanelFragment.as_view(), name="home"),
            path("compare/", ComparePage.as_view(), name="compare"),
        ]
