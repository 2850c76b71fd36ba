"""Screens for senders: who mail comes from, through which mailer, and how fast."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.admin.ui.tables import Column
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet

from ..sending.pace import DAY, HOUR, MINUTE, SECOND, limits_of
from ..site_settings.models import Sender
from .deleting import GuardedDelete

SPANS = {SECOND: _("a second"), MINUTE: _("a minute"), HOUR: _("an hour"), DAY: _("a day")}


def pace_in_words(sender: Sender) -> str:
    """Say the limits that hold today, warm-up included."""
    limits = limits_of(sender)
    if not limits:
        return str(_("As fast as it goes"))
    return ", ".join(f"{limit.number} {SPANS[limit.seconds]}" for limit in limits)


class SenderDeleteView(GuardedDelete, generic.DeleteView):
    pass


class SenderViewSet(ModelViewSet):
    model = Sender
    name = "email_senders"
    url_prefix = "email-insights/senders"
    delete_view_class = SenderDeleteView
    icon = "mail"
    menu_label = _("Senders")
    copy_view_enabled = False
    list_display = [
        "name",
        "from_email",
        "mailer",
        Column("pace", label=_("Pace today"), accessor=pace_in_words),
    ]
    panels = [
        FieldPanel("name"),
        MultiFieldPanel(
            [FieldPanel("from_name"), FieldPanel("from_email"), FieldPanel("reply_to")],
            heading=_("What readers see"),
        ),
        MultiFieldPanel(
            [FieldPanel("mailer"), FieldPanel("bounce_address")], heading=_("The way out")
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("per_second"), FieldPanel("per_minute")]),
                FieldRowPanel([FieldPanel("per_hour"), FieldPanel("per_day")]),
            ],
            heading=_("Limits"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("warm_up_from"),
                FieldRowPanel([FieldPanel("warm_up_first_day"), FieldPanel("warm_up_growth")]),
            ],
            heading=_("Warming up"),
        ),
    ]
