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
        from . import checks  # noqa: F401  registers the system checks
        from .mailings import locks  # noqa: F401  registers the lock of sent e-mails
        from .sending.schedules import ensure_schedules
        from .tracking import conditions  # noqa: F401  registers the segment conditions

        post_migrate.connect(ensure_schedules, sender=self)
