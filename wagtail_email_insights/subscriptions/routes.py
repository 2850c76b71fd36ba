"""Addresses of the public subscription pages."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("subscribe/<slug:slug>/", views.SubscribeView.as_view(), name="subscribe"),
    path(
        "subscribe/<slug:slug>/check-your-mail/",
        views.SubscribeDoneView.as_view(),
        name="subscribe_done",
    ),
    path("confirm/<str:token>/", views.ConfirmView.as_view(), name="confirm"),
    path("unsubscribe/<str:token>/", views.UnsubscribeView.as_view(), name="unsubscribe"),
    path("one-click/<str:token>/", views.OneClickView.as_view(), name="unsubscribe_one_click"),
]
