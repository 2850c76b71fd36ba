"""One send of one e-mail, and each copy of it. State only: no mail is touched here."""

from __future__ import annotations

from django.conf import settings
from django.db import connections, models, router
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..contacts.models import Contact, RecipientList
from ..emails.models import Email
from ..segments.models import Segment
from ..site_settings.models import Sender


class MailingState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    PREPARING = "preparing", _("Preparing")
    SENDING = "sending", _("Sending")
    PAUSED = "paused", _("Paused")
    SENT = "sent", _("Sent")
    CANCELLED = "cancelled", _("Cancelled")


OPEN_STATES = (
    MailingState.SCHEDULED,
    MailingState.PREPARING,
    MailingState.SENDING,
    MailingState.PAUSED,
)
"""The mailing will still send something by itself or by one press of a button."""

STARTED_STATES = (
    MailingState.PREPARING,
    MailingState.SENDING,
    MailingState.PAUSED,
    MailingState.SENT,
)
"""Content is frozen; copies may be in people's hands."""


class TestMetric(models.TextChoices):
    """What decides between the variants of a test."""

    CLICKS = "clicks", _("Clicks")
    OPENS = "opens", _("Opens (approximate)")
    MANUAL = "manual", _("I decide myself")


class MailingQuerySet(models.QuerySet):
    def locked(self) -> MailingQuerySet:
        """Hold the rows until the transaction ends; rows that point at them can be written."""
        no_key = connections[router.db_for_write(self.model)].features.has_select_for_no_key_update
        return self.select_for_update(no_key=no_key)

    def started(self) -> MailingQuerySet:
        """Mailings of which copies may be in people's hands, newest first."""
        return self.filter(
            Q(state__in=STARTED_STATES) | Q(state=MailingState.CANCELLED, started_at__isnull=False)
        ).order_by("-started_at", "-id")


class Mailing(models.Model):
    """One send of one revision of an e-mail to an audience."""

    email = models.ForeignKey(Email, on_delete=models.CASCADE, related_name="mailings")
    revision = models.ForeignKey(
        "wagtailcore.Revision", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    recipient_lists = models.ManyToManyField(
        RecipientList, blank=True, related_name="mailings", verbose_name=_("recipient lists")
    )
    to_all_lists = models.BooleanField(
        _("to all lists"),
        default=False,
        help_text=_("Chosen on purpose; without it a mailing whose lists are gone goes to nobody."),
    )
    segments = models.ManyToManyField(
        Segment, blank=True, related_name="mailings", verbose_name=_("only these segments")
    )
    excluded_segments = models.ManyToManyField(
        Segment,
        blank=True,
        related_name="excluding_mailings",
        verbose_name=_("never these segments"),
    )
    sender = models.ForeignKey(
        Sender,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="mailings",
        verbose_name=_("sender"),
    )
    resend_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="resends"
    )
    state = models.CharField(
        _("state"), max_length=12, choices=MailingState.choices, default=MailingState.DRAFT
    )
    state_reason = models.CharField(_("reason"), max_length=500, blank=True)
    scheduled_at = models.DateTimeField(_("scheduled for"), null=True, blank=True)
    in_recipient_time_zone = models.BooleanField(
        _("at that hour where each reader is"), default=False
    )
    test_share = models.PositiveSmallIntegerField(_("share for the test"), null=True, blank=True)
    test_hours = models.PositiveSmallIntegerField(_("hours until the winner"), default=4)
    test_metric = models.CharField(
        _("winner by"), max_length=8, choices=TestMetric.choices, default=TestMetric.CLICKS
    )
    winner = models.PositiveSmallIntegerField(_("winner"), null=True, blank=True)
    winner_at = models.DateTimeField(_("winner chosen"), null=True, blank=True, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    sender_errors = models.PositiveSmallIntegerField(default=0, editable=False)
    worked_at = models.DateTimeField(null=True, editable=False)

    objects = MailingQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "scheduled_at"], name="wei_mailing_due")]

    def __str__(self) -> str:
        return f"{self.email} ({self.get_state_display()})"

    @property
    def has_started(self) -> bool:
        return self.started_at is not None


class MailingVariant(models.Model):
    """One of the alternatives of an A/B test: another subject, another e-mail's content, or both.

    A mailing without a test has no rows here; its copies carry variant number 0.
    """

    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="variants", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    email = models.ForeignKey(
        Email,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("content of"),
    )

    class Meta:
        verbose_name = _("variant")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["mailing", "number"], name="wei_variant_once"),
        ]

    def __str__(self) -> str:
        return chr(ord("A") + self.number - 1)


class MailingContent(models.Model):
    """What a mailing sends, frozen when it is prepared: one row per variant and language.

    ``html`` and ``text`` still hold merge tags and the markers that ``sending.compiling`` fills
    in per copy; links are the editor's own.
    """

    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="contents", db_index=False
    )
    variant = models.PositiveSmallIntegerField(default=0)
    language = models.CharField(max_length=16, blank=True, default="")
    subject = models.CharField(max_length=200)
    html = models.TextField()
    text = models.TextField()
    from_email = models.CharField(max_length=400)
    reply_to = models.CharField(max_length=254, blank=True)
    bounce_address = models.CharField(max_length=254, blank=True)
    base_url = models.CharField(max_length=250)
    anonymous_counting = models.CharField(max_length=8)

    class Meta:
        verbose_name = _("mailing content")
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "variant", "language"], name="wei_content_once"
            ),
        ]

    def __str__(self) -> str:
        return self.subject


class DeliveryState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    CLAIMED = "claimed", _("Being prepared")
    HANDING_OVER = "handing_over", _("Being handed over")
    SENT = "sent", _("Sent")
    RETRY = "retry", _("Deferred, will be tried again")
    FAILED = "failed", _("Failed")
    UNCERTAIN = "uncertain", _("Uncertain")
    SKIPPED = "skipped", _("Skipped")


WAITING_STATES = (
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.HANDING_OVER,
    DeliveryState.RETRY,
)
"""Not settled yet. Shown together as "waiting" wherever the sum over the audience is shown."""

DUE_STATES = (DeliveryState.QUEUED, DeliveryState.RETRY)


class SkipReason(models.TextChoices):
    SUPPRESSED = "suppressed", _("Address is suppressed")
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    UNCONFIRMED = "unconfirmed", _("Subscription not confirmed")
    FREQUENCY_CAP = "too_often", _("Has had enough mail lately")
    EXCLUDED = "excluded", _("In an excluded segment")
    DUPLICATE = "duplicate", _("Already has this e-mail")
    CANCELLED = "cancelled", _("Mailing was cancelled")


class Delivery(models.Model):
    """One copy of a mailing for one contact, and what became of it.

    ``identified`` says whether this copy's links carry the delivery (the contact agreed to
    tracking) or a random key that is stored nowhere; it is decided when the copy is claimed.
    ``withdrawn``: it was identified when it went out, and its contact has taken that back since.
    """

    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    contact = models.ForeignKey(
        Contact,
        on_delete=models.SET_NULL,
        null=True,
        related_name="deliveries",
        db_index=False,
    )
    state = models.CharField(
        _("state"), max_length=12, choices=DeliveryState.choices, default=DeliveryState.QUEUED
    )
    skip_reason = models.CharField(
        _("why skipped"), max_length=12, choices=SkipReason.choices, blank=True
    )
    variant = models.PositiveSmallIntegerField(_("variant"), default=0)
    identified = models.BooleanField(_("identified"), default=False)
    withdrawn = models.BooleanField(
        _("consent withdrawn since"), default=False, db_default=False, editable=False
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_owner = models.BigIntegerField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    settled_at = models.DateTimeField(_("settled"), null=True, editable=False)
    error = models.CharField(_("answer of the mail server"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["mailing", "contact"], name="wei_delivery_once"),
        ]
        indexes = [
            models.Index(fields=["mailing", "state", "id"], name="wei_delivery_claim"),
            # Also serves the contact's timeline and the frequency cap.
            models.Index(fields=["contact", "settled_at"], name="wei_delivery_contact"),
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=[DeliveryState.CLAIMED, DeliveryState.HANDING_OVER]),
                name="wei_delivery_lease",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mailing_id} → {self.contact_id}: {self.state}"
