"""Mail that the demonstration's SMTP server caught."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class CaughtMailQuerySet(models.QuerySet):
    def matching(self, words: str) -> CaughtMailQuerySet:
        """Mails with *words* in recipient or subject; all of them when empty."""
        if not words:
            return self
        return self.filter(Q(recipient__icontains=words) | Q(subject__icontains=words))


class CaughtMail(models.Model):
    """One mail as it came over the wire, with what the listing shows of it."""

    received_at = models.DateTimeField(default=timezone.now)
    recipient = models.CharField(max_length=254)
    sender = models.CharField(max_length=400)
    subject = models.CharField(max_length=400)
    # The last column: SQLite reads past the listing's columns only when this one is asked for.
    raw = models.BinaryField()

    objects = CaughtMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("caught mail")
        verbose_name_plural = _("caught mails")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.subject

    @classmethod
    def from_wire(cls, raw: bytes, recipients: list[str]) -> list[CaughtMail]:
        """One unsaved row for each recipient of the envelope that *raw* came in."""
        headers = BytesHeaderParser(policy=email.policy.default).parsebytes(raw)
        return [
            cls(
                recipient=recipient[:254],
                sender=str(headers["From"] or "")[:400],
                subject=str(headers["Subject"] or "")[:400],
                raw=raw,
            )
            for recipient in recipients
        ]

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(bytes(self.raw), policy=email.policy.default)
