"""Saved rules that find contacts."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..streams import LazyStreamField
from .registry import condition_blocks


class Match(models.TextChoices):
    ALL = "all", _("all of these are true")
    ANY = "any", _("any of these is true")


class Segment(models.Model):
    """A rule over contacts: conditions, and groups of conditions, all or any of which must hold."""

    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    match = models.CharField(
        _("a contact is in when"), max_length=3, choices=Match.choices, default=Match.ALL
    )
    conditions = LazyStreamField(condition_blocks, verbose_name=_("conditions"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True, editable=False)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
