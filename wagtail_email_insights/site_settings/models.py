"""Who the mail comes from and where its links lead, per Wagtail site."""

from __future__ import annotations

import re
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
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


class SummaryRhythm(models.TextChoices):
    """How often colleagues are sent a summary of the figures; empty for never."""

    DAILY = "daily", _("Every day")
    WEEKLY = "weekly", _("Every Monday")
    MONTHLY = "monthly", _("On the first of every month")


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
    summary_rhythm = models.CharField(
        _("summary by e-mail"), max_length=8, choices=SummaryRhythm.choices, blank=True
    )
    summary_to = models.TextField(
        _("summary and alerts go to"),
        blank=True,
        help_text=_("One address per line: colleagues who want to hear how the e-mails do."),
    )
    mail_alerts = models.BooleanField(
        _("send alerts by e-mail"),
        default=False,
        help_text=_("As soon as something looks wrong, such as many bounces."),
    )
    summary_sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    panels = [
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("from_name"), FieldPanel("from_email")]),
                FieldPanel("reply_to"),
                FieldPanel("default_sender"),
            ],
            heading=_("Who the mail comes from"),
        ),
        MultiFieldPanel(
            [FieldPanel("base_url"), FieldPanel("postal_address")], heading=_("In every e-mail")
        ),
        MultiFieldPanel(
            [
                FieldPanel("summary_rhythm"),
                FieldPanel("mail_alerts"),
                FieldPanel("summary_to"),
            ],
            heading=_("For colleagues"),
        ),
    ]

    class Meta:
        verbose_name = _("email settings")

    @property
    def summary_addresses(self) -> list[str]:
        """Who hears of the figures, each once and in the order given."""
        return list(dict.fromkeys(re.findall(r"[^\s,;]+", self.summary_to)))

    def clean(self) -> None:
        super().clean()
        for address in self.summary_addresses:
            try:
                validate_email(address)
            except ValidationError as error:
                raise ValidationError(
                    {"summary_to": _("“%(address)s” is no e-mail address.") % {"address": address}}
                ) from error
        if (self.summary_rhythm or self.mail_alerts) and not self.summary_addresses:
            raise ValidationError({"summary_to": _("Enter at least one address.")})
