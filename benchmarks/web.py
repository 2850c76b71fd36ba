"""URLconf of the benchmarks' web server: the app's public addresses beside an empty view."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def empty(request: HttpRequest, address: str) -> HttpResponse:
    """Do nothing: what the server, Django and its middleware take for themselves."""
    return HttpResponse()


urlpatterns = [
    path("empty/<path:address>", empty),
    path("email/", include("wagtail_email_insights.urls")),
]
