"""Destinations, and everything that happened: one append-only table of events, and its sums."""

from __future__ import annotations

from django.conf import settings
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
    document_id = models.PositiveBigIntegerField(
        _("document"), null=True, blank=True, editable=False
    )
    """The Wagtail document behind a followed attachment; no foreign key: the model is swappable."""
    expires_at = models.DateTimeField(_("available until"), null=True, blank=True)

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


class LinkCorrection(models.Model):
    """An editor led a link elsewhere after it was sent; copies already delivered follow it."""

    link = models.ForeignKey(TrackedLink, on_delete=models.CASCADE, related_name="corrections")
    at = models.DateTimeField(_("time"), default=timezone.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    before = models.TextField(_("led to"))
    after = models.TextField(_("leads to"))

    class Meta:
        verbose_name = _("link correction")
        verbose_name_plural = _("link corrections")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class EventKind(models.TextChoices):
    OPEN = "open", _("Opened")
    CLICK = "click", _("Clicked a link")
    DOWNLOAD = "download", _("Opened an attachment")
    WEB_VIEW = "web_view", _("Viewed in the browser")
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


class LeavingReason(models.TextChoices):
    """Why somebody unsubscribed, if they care to say."""

    TOO_OFTEN = "too_often", _("It comes too often")
    NOT_RELEVANT = "not_relevant", _("It does not interest me")
    NEVER_ASKED = "never_asked", _("I never asked for it")
    NOT_READABLE = "not_readable", _("I cannot read it well")
    OTHER = "other", _("Another reason")


class Device(models.TextChoices):
    """What the reader held in their hands; empty where the request does not tell."""

    PHONE = "phone", _("Phone")
    TABLET = "tablet", _("Tablet")
    DESKTOP = "desktop", _("Computer")
    OTHER = "other", _("Other")


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
    verdict_reason = models.CharField(_("reason of the verdict"), max_length=40, blank=True)
    rule = models.PositiveSmallIntegerField(_("version of the rules"), default=0)
    device = models.CharField(_("device"), max_length=8, choices=Device.choices, blank=True)
    client = models.CharField(_("program"), max_length=20, blank=True)
    value = models.CharField(_("value"), max_length=250, blank=True)
    why = models.CharField(
        _("why unsubscribed"), max_length=12, choices=LeavingReason.choices, blank=True
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-at", "-id"]
        indexes = [
            # One copy's events, for judging it and for the tallies; also each mailing's by copy.
            models.Index(fields=["mailing", "copy"], name="wei_event_copy"),
            # Feeds show events that name a contact: millions of others must not be waded through.
            models.Index(
                fields=["mailing", "-at", "-id"],
                condition=Q(contact__isnull=False),
                name="wei_event_mailing_feed",
            ),
            models.Index(
                fields=["contact", "-at"],
                condition=Q(contact__isnull=False),
                name="wei_event_contact_feed",
            ),
            models.Index(
                fields=["-at", "-id"],
                condition=Q(contact__isnull=False),
                name="wei_event_feed",
            ),
            models.Index(fields=["kind", "at", "contact"], name="wei_event_segments"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"


class Hit(models.Model):
    """A request that was answered and is not an event yet: ``recording.drain`` makes it one.

    No foreign keys and no columns to look anything up by: writing one costs as little as possible,
    because it happens while a reader waits.
    """

    line = models.TextField()

    class Meta:
        verbose_name = _("hit")

    def __str__(self) -> str:
        return self.line


class DrainPosition(models.Model):
    """How far a source of hits that is no table of ours was drained: with its events, or not."""

    source = models.CharField(max_length=100, unique=True)
    position = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("drain position")

    def __str__(self) -> str:
        return f"{self.source}: {self.position}"


class Evidence(models.TextChoices):
    TRAP = "trap", _("Followed the hidden link")
    LOOKAHEAD = "lookahead", _("Looked ahead")


class Probe(models.Model):
    """A sign of a machine that is no event itself; kept with the events, to judge them again."""

    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="probes", db_index=False
    )
    copy = models.BigIntegerField()
    at = models.DateTimeField()
    evidence = models.CharField(max_length=9, choices=Evidence.choices)
    link = models.ForeignKey(
        TrackedLink, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("probe")
        indexes = [models.Index(fields=["mailing", "copy"], name="wei_probe_copy")]

    def __str__(self) -> str:
        return f"{self.get_evidence_display()} {self.at:%Y-%m-%d %H:%M}"


class NetworkSighting(models.Model):
    """Which network an event came from, as a keyed hash, for an hour at most.

    Long enough to notice one network hitting many copies; then the row goes and nothing tells any
    more where anybody was.
    """

    network = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)
    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="sighting")

    class Meta:
        verbose_name = _("network sighting")
        indexes = [models.Index(fields=["network", "at"], name="wei_sighting_network")]

    def __str__(self) -> str:
        return f"{self.network} {self.at:%H:%M:%S}"


class Scope(models.IntegerChoices):
    """Whose opens and clicks a tally counts; each takes in the one before."""

    PEOPLE = 0, _("People only")
    READERS = 1, _("People, also through image proxies")
    EVERYTHING = 2, _("Everything, machines too")


class Dimension(models.TextChoices):
    """What a tally is broken down by; ``key`` says which part."""

    ALL = "", _("All")
    VARIANT = "variant", _("Variant")
    LINK = "link", _("Link")
    DEVICE = "device", _("Device")
    CLIENT = "client", _("Program")
    HOUR = "hour", _("Hour")
    VERDICT = "verdict", _("Reason of the verdict")
    WHY = "why", _("Why unsubscribed")


class Tally(models.Model):
    """Sums over the events of one mailing, kept while they are recorded.

    Everything here follows from the events and can be rebuilt from them (``tracking.tallies``), as
    long as retention has not removed those. ``opened``, ``clicked``, ``downloaded``, ``viewed`` and
    the rest in the past tense count distinct copies, the plurals every time.
    """

    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="tallies", db_index=False
    )
    scope = models.PositiveSmallIntegerField(choices=Scope.choices)
    dimension = models.CharField(max_length=8, choices=Dimension.choices, blank=True)
    key = models.CharField(max_length=40, blank=True)
    opened = models.BigIntegerField(default=0)
    opens = models.BigIntegerField(default=0)
    opens_identified = models.BigIntegerField(default=0)
    clicked = models.BigIntegerField(default=0)
    clicks = models.BigIntegerField(default=0)
    clicks_identified = models.BigIntegerField(default=0)
    downloaded = models.BigIntegerField(default=0)
    downloads = models.BigIntegerField(default=0)
    viewed = models.BigIntegerField(default=0)
    views = models.BigIntegerField(default=0)
    unsubscribed = models.BigIntegerField(default=0)
    complained = models.BigIntegerField(default=0)
    replied = models.BigIntegerField(default=0)
    replies = models.BigIntegerField(default=0)
    auto_replied = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "scope", "dimension", "key"], name="wei_tally_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mailing_id} {self.get_scope_display()} {self.dimension} {self.key}".strip()


class MailingTotals(models.Model):
    """Sums over the copies of one mailing, and the row that whoever changes its sums locks.

    ``is_fresh`` says that the sums hold; whoever changes copies or bounces calls
    ``tracking.totals.forget`` in the same transaction. Mailings under way are always counted anew.
    """

    mailing = models.OneToOneField(
        Mailing, on_delete=models.CASCADE, primary_key=True, related_name="totals"
    )
    revision = models.BigIntegerField(default=0)
    is_fresh = models.BooleanField(default=False)
    has_tallies = models.BooleanField(default=False)
    """False until the events of before there were tallies have been summed up."""
    events_removed_at = models.DateTimeField(null=True)
    """Since when retention has taken events away: the tallies can no longer be rebuilt."""
    audience = models.BigIntegerField(default=0)
    attempted = models.BigIntegerField(default=0)
    sent = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    uncertain = models.BigIntegerField(default=0)
    identified = models.BigIntegerField(default=0)
    told_apart = models.BigIntegerField(default=0)
    hard_bounced = models.BigIntegerField(default=0)
    soft_bounced = models.BigIntegerField(default=0)
    told_apart_bounced = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("mailing totals")
        verbose_name_plural = _("mailing totals")

    def __str__(self) -> str:
        return f"{self.mailing_id}: {self.sent}"
