"""Who the mail comes from and where its links lead, per Wagtail site."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.contrib.settings.models import BaseSiteSetting, register_setting


class Sender(models.Model):
    """One identity that mail comes from, with its own way out and its own pace.

    Limits are ceilings over any span of that length; empty means none.
    """

    name = models.CharField(
        _("name"), max_length=120, help_text=_("For you and your colleagues; not sent.")
    )
    from_name = models.CharField(_("sender name"), max_length=120, blank=True)
    from_email = models.EmailField(
        _("sender address"),
        help_text=_("Must belong to a domain that you may send for (SPF, DKIM)."),
    )
    reply_to = models.EmailField(_("reply-to address"), blank=True)
    bounce_address = models.EmailField(
        _("return path"),
        blank=True,
        help_text=_(
            "Mail that comes back goes here; the mailbox must accept addresses with a “+” part."
        ),
    )
    mailer = models.CharField(
        _("mailer"),
        max_length=60,
        blank=True,
        help_text=_("Alias in the MAILERS setting; empty for the usual one."),
    )
    per_second = models.PositiveIntegerField(_("at most a second"), null=True, blank=True)
    per_minute = models.PositiveIntegerField(_("at most a minute"), null=True, blank=True)
    per_hour = models.PositiveIntegerField(_("at most an hour"), null=True, blank=True)
    per_day = models.PositiveIntegerField(_("at most a day"), null=True, blank=True)
    warm_up_from = models.DateField(
        _("warm up from"),
        null=True,
        blank=True,
        help_text=_("First day of a new sender: from then on the daily limit grows by itself."),
    )
    warm_up_first_day = models.PositiveIntegerField(_("mails on the first day"), default=200)
    warm_up_growth = models.DecimalField(
        _("growth a day"), max_digits=4, decimal_places=2, default=Decimal("1.5")
    )

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} <{self.from_email}>"


class RateBucket(models.Model):
    """What a sender may still send within one span of time; shared by all workers."""

    sender = models.ForeignKey(
        Sender, on_delete=models.CASCADE, related_name="buckets", db_index=False
    )
    seconds = models.PositiveIntegerField()
    tokens = models.FloatField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sender", "seconds"], name="wei_bucket_once"),
        ]

    def __str__(self) -> str:
        return f"{self.sender_id}: {self.tokens:.1f} in {self.seconds} s"


@register_setting(icon="mail")
class EmailSettings(BaseSiteSetting):
    """Sender, addresses and choices of one site. Secrets and queue tuning stay in settings.py."""

    from_name = models.CharField(_("sender name"), max_length=120, blank=True)
    from_email = models.EmailField(
        _("sender address"),
        blank=True,
        help_text=_("Must belong to a domain that you may send for (SPF, DKIM)."),
    )
    reply_to = models.EmailField(_("reply-to address"), blank=True)
    default_sender = models.ForeignKey(
        Sender,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("usual sender"),
        help_text=_("Comes before the name and address above, and brings its limits."),
    )
    base_url = models.URLField(
        _("address of links in e-mails"),
        blank=True,
        help_text=_(
            "Where clicks, opens and unsubscribe pages go. Leave empty to use the site's own "
            "address."
        ),
    )
    postal_address = models.TextField(
        _("postal address"),
        blank=True,
        help_text=_("Stands at the foot of every e-mail; the law of most countries asks for it."),
    )

    class Meta:
        verbose_name = _("email settings")
