"""Wiring of the app: conditions, locks and listeners find each other here."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class EmailInsightsConfig(AppConfig):
    name = "wagtail_email_insights"
    label = "wagtail_email_insights"
    verbose_name = _("Email insights")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported for what they register: checks, locks, segment conditions, listeners.
        from . import checks, queue  # noqa: F401
        from .digests import schedules as digest_schedules
        from .feedback import receivers as feedback_receivers
        from .feedback import schedules as feedback_schedules
        from .mailings import guards, locks  # noqa: F401
        from .segments import conditions as segment_conditions  # noqa: F401
        from .sending import schedules as sending_schedules
        from .sending import standby
        from .statistics import findings  # noqa: F401
        from .statistics import schedules as statistics_schedules
        from .tracking import conditions as tracking_conditions  # noqa: F401
        from .tracking import receivers, resends  # noqa: F401
        from .tracking import schedules as tracking_schedules
        from .tracking import standby as tracking_standby

        for ensure in (
            sending_schedules,
            tracking_schedules,
            feedback_schedules,
            digest_schedules,
            statistics_schedules,
        ):
            post_migrate.connect(ensure.ensure_schedules, sender=self)
        feedback_receivers.connect()
        if apps.is_installed("django_q"):
            queue.call_in_workers(tracking_standby.begin)
            queue.call_in_workers(standby.begin)
