"""Our addresses where they do not work: below Wagtail's own, which catch them."""

from django.urls import include, path
from wagtail import urls as wagtail_urls

urlpatterns = [
    path("", include(wagtail_urls)),
    path("email/", include("wagtail_email_insights.urls")),
]
