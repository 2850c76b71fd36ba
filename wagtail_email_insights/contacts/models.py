"""Who can be written to: people, the lists they are on, and the addresses that must get nothing."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import AddressField


class Contact(models.Model):
    """A person with an e-mail address; has nothing to do with Django users.

    ``attributes`` holds whatever the host knows about the person, keyed by attribute name. A host
    that needs columns adds a model with a one-to-one key to this one.
    """

    email = AddressField(_("e-mail address"), unique=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    language = models.CharField(
        _("language"), max_length=16, blank=True, help_text=_("Language code, for example “en”.")
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("For example “Europe/Lisbon”.")
    )
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    do_not_track = models.BooleanField(
        _("do not follow"),
        default=False,
        help_text=_("This person's opens and clicks are only ever counted anonymously."),
    )
    soft_bounces = models.PositiveSmallIntegerField(
        _("soft bounces"),
        default=0,
        editable=False,
        help_text=_("In a row, since the last sign that mail arrives."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True, editable=False)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class RecipientList(models.Model):
    """A list that people subscribe to, with what they are told when they come and go."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(
        _("code"), max_length=60, unique=True, help_text=_("Used in subscribe forms and imports.")
    )
    description = models.TextField(
        _("description"), blank=True, help_text=_("Shown to visitors beside the subscribe form.")
    )
    double_opt_in = models.BooleanField(
        _("confirm subscriptions by e-mail"),
        default=True,
        help_text=_("Newcomers get nothing until they have confirmed their address."),
    )
    thank_you_text = models.TextField(
        _("thank-you text"), blank=True, help_text=_("Shown once a subscription is confirmed.")
    )
    goodbye_text = models.TextField(
        _("goodbye text"), blank=True, help_text=_("Shown after somebody has unsubscribed.")
    )
    send_welcome_mail = models.BooleanField(_("send a mail after confirming"), default=False)
    send_goodbye_mail = models.BooleanField(_("send a mail after unsubscribing"), default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("recipient list")
        verbose_name_plural = _("recipient lists")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SubscriptionStatus(models.TextChoices):
    PENDING = "pending", _("Not confirmed")
    SUBSCRIBED = "subscribed", _("Subscribed")
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")


class Subscription(models.Model):
    """One contact's standing on one list."""

    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="subscriptions", verbose_name=_("contact")
    )
    recipient_list = models.ForeignKey(
        RecipientList,
        on_delete=models.CASCADE,
        related_name="subscriptions",
        verbose_name=_("recipient list"),
        # The composite index below starts with this column.
        db_index=False,
    )
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=SubscriptionStatus.choices,
        default=SubscriptionStatus.PENDING,
    )
    source = models.CharField(_("source"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("asked for"), default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "recipient_list"], name="wei_subscription_once_per_list"
            ),
        ]
        indexes = [
            models.Index(
                fields=["recipient_list", "status", "contact"], name="wei_subscription_audience"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} – {self.recipient_list}: {self.get_status_display()}"


class SuppressionReason(models.TextChoices):
    HARD_BOUNCE = "hard_bounce", _("Address does not exist")
    SOFT_BOUNCES = "soft_bounces", _("Came back too often")
    COMPLAINT = "complaint", _("Reported as spam")
    UNSUBSCRIBED_ALL = "unsubscribed", _("Unsubscribed from everything")
    MANUAL = "manual", _("Blocked by hand")


class SuppressionQuerySet(models.QuerySet):
    def active(self) -> SuppressionQuerySet:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


class Suppression(models.Model):
    """An address that must get nothing. Outlives the contact, so that an import cannot undo it."""

    email = AddressField(_("e-mail address"), unique=True)
    reason = models.CharField(_("reason"), max_length=16, choices=SuppressionReason.choices)
    note = models.CharField(_("note"), max_length=250, blank=True)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.email}: {self.get_reason_display()}"
