"""Public addresses of the app; a host includes them once, under any prefix."""

from __future__ import annotations

from .sending import routes as sending
from .subscriptions import routes as subscriptions
from .tracking import routes as tracking

app_name = "wagtail_email_insights"

urlpatterns = [*tracking.urlpatterns, *sending.urlpatterns, *subscriptions.urlpatterns]
