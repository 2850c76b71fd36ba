"""What people agreed to: purposes, the exact wording shown, and an append-only record."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..contacts.models import Contact


class Consent(models.Model):
    """A purpose that people are asked to agree to."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ConsentVersion(models.Model):
    """One wording of a consent in one language. Never edited: another wording is another row.

    The one published last is asked for; a former wording can be published again.
    """

    consent = models.ForeignKey(
        Consent, on_delete=models.PROTECT, related_name="versions", db_index=False
    )
    language = models.CharField(_("language"), max_length=16, default="en")
    short_text = models.CharField(
        _("short text"), max_length=300, help_text=_("Stands beside the tick box.")
    )
    full_text = models.TextField(_("full text"), blank=True)
    content_hash = models.CharField(max_length=64, editable=False)
    published_at = models.DateTimeField(_("published"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("consent version")
        verbose_name_plural = _("consent versions")
        ordering = ["-published_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["consent", "language", "content_hash"], name="wei_consent_wording_once"
            ),
        ]

    def __str__(self) -> str:
        return self.short_text

    @staticmethod
    def hash_of(short_text: str, full_text: str) -> str:
        """SHA-256 of the wording, hexadecimal; proves later what was shown."""
        return hashlib.sha256(f"{short_text}\0{full_text}".encode()).hexdigest()


class ConsentAction(models.TextChoices):
    AGREE = "agree", _("Agreed")
    WITHDRAW = "withdraw", _("Withdrawn")


class AppendOnlyError(TypeError):
    """Somebody tried to change or delete a row of a record that is only ever added to."""


class AppendOnlyQuerySet(models.QuerySet):
    def update(self, **kwargs: Any) -> int:
        raise AppendOnlyError("consent records are never changed: add a new one")

    def delete(self) -> Any:
        raise AppendOnlyError("consent records are never deleted: they go with their contact")


class ConsentRecord(models.Model):
    """One agreement or withdrawal. The newest row of a contact and a consent decides."""

    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="consent_records", db_index=False
    )
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="records")
    version = models.ForeignKey(
        ConsentVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="records"
    )
    action = models.CharField(_("action"), max_length=8, choices=ConsentAction.choices)
    source = models.CharField(_("source"), max_length=120, blank=True)
    at = models.DateTimeField(_("time"), default=timezone.now)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent record")
        verbose_name_plural = _("consent records")
        ordering = ["-id"]
        indexes = [models.Index(fields=["contact", "consent", "-id"], name="wei_consent_latest")]

    def __str__(self) -> str:
        return f"{self.consent}: {self.get_action_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("consent records are never changed: add a new one")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise AppendOnlyError("consent records are never deleted: they go with their contact")
