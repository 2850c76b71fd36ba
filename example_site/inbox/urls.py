from django.urls import path

from . import views

app_name = "inbox"

urlpatterns = [
    path("", views.InboxView.as_view(), name="list"),
    path("empty/", views.empty, name="empty"),
    path("<int:pk>/", views.MailView.as_view(), name="mail"),
    path("<int:pk>/text/", views.TextView.as_view(), name="text"),
    path("<int:pk>/headers/", views.HeadersView.as_view(), name="headers"),
    path("<int:pk>/content/", views.content, name="content"),
]
