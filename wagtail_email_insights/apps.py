"""Wiring of the app: conditions, locks and listeners find each other here."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class EmailInsightsConfig(AppConfig):
    name = "wagtail_email_insights"
    label = "wagtail_email_insights"
    verbose_name = _("Email insights")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported for what they register: checks, locks, segment conditions, listeners.
        from . import checks  # noqa: F401
        from .mailings import locks  # noqa: F401
        from .segments import conditions as segment_conditions  # noqa: F401
        from .sending.schedules import ensure_schedules
        from .tracking import conditions as tracking_conditions  # noqa: F401
        from .tracking import receivers, resends  # noqa: F401

        post_migrate.connect(ensure_schedules, sender=self)
