"""Newsletters that write themselves: the newest pages, again and again."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..contacts.models import RecipientList
from ..emails.models import Email
from ..segments.models import Segment


class Rhythm(models.TextChoices):
    DAILY = "daily", _("Every day")
    WEEKLY = "weekly", _("Every week")
    MONTHLY = "monthly", _("Every month")


class Digest(models.Model):
    """A template e-mail that is filled with the newest pages and sent in a rhythm.

    Each run copies the template, puts the pages published since the last run in, and sends the
    copy as a mailing of its own. Nothing new, nothing sent.
    """

    name = models.CharField(_("name"), max_length=120)
    template = models.ForeignKey(
        Email,
        on_delete=models.PROTECT,
        related_name="digests",
        verbose_name=_("template"),
        help_text=_("An e-mail with a “Newest pages” block."),
    )
    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.CASCADE, related_name="+", verbose_name=_("site")
    )
    below_page = models.PositiveBigIntegerField(
        _("only pages below"), null=True, blank=True, help_text=_("Id of a page; empty for all.")
    )
    recipient_lists = models.ManyToManyField(
        RecipientList, related_name="digests", verbose_name=_("recipient lists")
    )
    segments = models.ManyToManyField(
        Segment, blank=True, related_name="digests", verbose_name=_("only these segments")
    )
    rhythm = models.CharField(
        _("rhythm"), max_length=8, choices=Rhythm.choices, default=Rhythm.WEEKLY
    )
    next_run_at = models.DateTimeField(_("next time"), db_index=True)
    last_run_at = models.DateTimeField(_("last time"), null=True, blank=True, editable=False)
    pages_since = models.DateTimeField(
        _("pages published since"), help_text=_("Moves on with every digest that was sent.")
    )
    max_pages = models.PositiveSmallIntegerField(_("at most so many pages"), default=10)
    is_active = models.BooleanField(_("active"), default=True)
    last_result = models.CharField(_("last result"), max_length=250, blank=True, editable=False)

    class Meta:
        verbose_name = _("recurring digest")
        verbose_name_plural = _("recurring digests")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
