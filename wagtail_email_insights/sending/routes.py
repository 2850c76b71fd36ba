"""Public addresses of the e-mail in a browser."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("w/<str:token>", views.web_version, name="web_version"),
    path("w/from-your-own/unsubscribe/", views.unsubscribe_note, name="web_version_unsubscribe"),
]
