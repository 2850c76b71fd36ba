"""What the diagnostics found, and what editors do not want to hear again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..emails.models import Email

CODE_LENGTH = 40
"""Of the code of a diagnostic, and of what tells the alerts of one from each other."""


class Severity(models.TextChoices):
    NOTICE = "notice", _("Notice")
    WARNING = "warning", _("Warning")
    CRITICAL = "critical", _("Critical")


class Alert(models.Model):
    """A finding of a diagnostic that somebody should hear of; open until it no longer holds.

    Without an e-mail it is about several mailings together: all those of what *subject* names, if
    it names something. ``worst`` is how bad it has been since it was raised, ``news_at`` when it
    was raised or got worse than ever.
    """

    email = models.ForeignKey(
        Email, on_delete=models.CASCADE, null=True, blank=True, related_name="alerts"
    )
    code = models.CharField(max_length=CODE_LENGTH)
    subject = models.CharField(max_length=CODE_LENGTH, blank=True, default="", db_default="")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    worst = models.CharField(
        max_length=8, choices=Severity.choices, blank=True, default="", db_default=""
    )
    sentence = models.TextField()
    raised_at = models.DateTimeField(default=timezone.now)
    news_at = models.DateTimeField(default=timezone.now, db_default=Now())
    mailed_at = models.DateTimeField(null=True, blank=True)
    over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-raised_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["email", "code", "subject"],
                condition=models.Q(over_at__isnull=True),
                name="wei_alert_open_once",
            ),
            # NULLs differ from one another, so these need a constraint of their own.
            models.UniqueConstraint(
                fields=["code", "subject"],
                condition=models.Q(over_at__isnull=True, email__isnull=True),
                name="wei_alert_open_once_overall",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class Mute(models.Model):
    """One diagnostic that is not to speak up about one e-mail again."""

    email = models.ForeignKey(Email, on_delete=models.CASCADE, related_name="mutes")
    code = models.CharField(max_length=CODE_LENGTH)
    at = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("muted diagnostic")
        verbose_name_plural = _("muted diagnostics")
        constraints = [
            models.UniqueConstraint(fields=["email", "code"], name="wei_mute_once"),
        ]

    def __str__(self) -> str:
        return f"{self.email_id}: {self.code}"
