"""What came back in words: replies to a mailing, kept so that an editor can read them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..tracking.models import Event


class Reply(models.Model):
    """The words of a reply; that it came is an Event. Goes with its contact when that is erased."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="reply")
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    text = models.TextField(
        _("text"), help_text=_("What the person wrote, without quotation and signature.")
    )
    full_text = models.TextField(_("whole text"), blank=True)

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")

    def __str__(self) -> str:
        return self.subject


class SeenReport(models.Model):
    """A message from the mailbox or a provider that was taken in: the same one never counts twice.

    ``key`` is the SHA-256 of what identifies it (provider's event id, or the raw message).
    """

    key = models.CharField(max_length=64, unique=True)
    seen_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.key
