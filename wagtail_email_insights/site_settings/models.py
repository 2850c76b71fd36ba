"""Who the mail comes from and where its links lead, per Wagtail site."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.contrib.settings.models import BaseSiteSetting, register_setting


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
