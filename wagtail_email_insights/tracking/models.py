"""Destinations, and everything that happened: one append-only table of events."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..contacts.models import Contact, RecipientList
from ..mailings.models import Mailing


class TrackedLink(models.Model):
    """One destination in one mailing; the token in the mail leads to this row."""

    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="links", db_index=False
    )
    variant = models.PositiveSmallIntegerField(_("variant"), default=0)
    position = models.PositiveSmallIntegerField(_("position"))
    url = models.TextField(_("address"))

    class Meta:
        verbose_name = _("tracked link")
        verbose_name_plural = _("tracked links")
        ordering = ["variant", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "variant", "position"], name="wei_link_once"
            ),
        ]

    def __str__(self) -> str:
        return self.url


class EventKind(models.TextChoices):
    OPEN = "open", _("Opened")
    CLICK = "click", _("Clicked a link")
    SUBSCRIBE = "subscribe", _("Asked to subscribe")
    CONFIRM = "confirm", _("Confirmed the subscription")
    UNSUBSCRIBE = "unsubscribe", _("Unsubscribed")
    DELIVERED = "delivered", _("Delivered")
    HARD_BOUNCE = "hard_bounce", _("Bounced (permanent)")
    SOFT_BOUNCE = "soft_bounce", _("Bounced (temporary)")
    COMPLAINT = "complaint", _("Reported as spam")
    REPLY = "reply", _("Replied")
    AUTO_REPLY = "auto_reply", _("Automatic reply")


class Verdict(models.TextChoices):
    """Our judgement of an open or click."""

    HUMAN = "human", _("Person")
    SUSPECTED = "suspected", _("Possibly a machine")
    MACHINE = "machine", _("Machine")
    PROXY = "proxy", _("Mail service's image proxy")


class EventQuerySet(models.QuerySet):
    def activities(self) -> EventQuerySet:
        """Events that name a contact, machines left out: what contact activities show."""
        return self.filter(contact__isnull=False).exclude(verdict=Verdict.MACHINE)


class Event(models.Model):
    """One thing that happened.

    ``contact`` is set only where the person may be known. ``copy`` tells copies of a mailing
    apart so that uniques can be counted: the Delivery's id for an identified copy, a negative
    random number that leads nowhere for any other, NULL where only totals can be counted.
    """

    kind = models.CharField(_("activity"), max_length=12, choices=EventKind.choices)
    at = models.DateTimeField(_("time"), default=timezone.now)
    contact = models.ForeignKey(
        Contact,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="events",
        db_index=False,
        verbose_name=_("contact"),
    )
    mailing = models.ForeignKey(
        Mailing,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="events",
        db_index=False,
    )
    link = models.ForeignKey(
        TrackedLink, on_delete=models.CASCADE, null=True, blank=True, related_name="events"
    )
    recipient_list = models.ForeignKey(
        RecipientList,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("recipient list"),
    )
    variant = models.PositiveSmallIntegerField(default=0)
    copy = models.BigIntegerField(null=True, blank=True)
    verdict = models.CharField(
        _("verdict"), max_length=9, choices=Verdict.choices, default=Verdict.HUMAN
    )
    verdict_reason = models.CharField(max_length=40, blank=True)
    value = models.CharField(_("value"), max_length=250, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["mailing", "kind", "verdict", "copy"], name="wei_event_figures"),
            models.Index(fields=["mailing", "-at", "-id"], name="wei_event_mailing_feed"),
            models.Index(
                fields=["contact", "-at"],
                condition=Q(contact__isnull=False),
                name="wei_event_contact_feed",
            ),
            models.Index(fields=["-at", "-id"], name="wei_event_feed"),
            models.Index(fields=["kind", "at", "contact"], name="wei_event_segments"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"
