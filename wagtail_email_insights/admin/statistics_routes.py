"""Where the screens around the statistics of an e-mail are; relative to those of e-mails."""

from __future__ import annotations

from django.urls import path

from . import click_map, drilldown, links, making, statistics, statistics_exports

urlpatterns = [
    path("statistics/<int:pk>/", statistics.page, name="statistics"),
    path("statistics/<int:pk>/fragment/", statistics.fragment, name="statistics_fragment"),
    path("statistics/<int:pk>/by/<slug:part>/", statistics.part, name="statistics_part"),
    path(
        "statistics/<int:pk>/export/<slug:file_format>/",
        statistics_exports.export,
        name="statistics_export",
    ),
    path("statistics/<int:pk>/map/", click_map.page, name="click_map"),
    path("statistics/<int:pk>/map/frame/", click_map.frame, name="click_map_frame"),
    path("statistics/<int:pk>/people/<slug:code>/", drilldown.page, name="people"),
    path("statistics/<int:pk>/people/<slug:code>/make/", making.make, name="people_make"),
    path("link/<int:pk>/correct/", links.correct, name="link_correct"),
]
