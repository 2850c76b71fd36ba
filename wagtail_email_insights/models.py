"""Every model of the app, gathered for Django; the packages themselves define them."""

from .consents.models import Consent, ConsentRecord, ConsentVersion
from .contacts.models import Contact, RecipientList, Subscription, Suppression
from .digests.models import Digest
from .emails.models import Email
from .feedback.models import Reply, SeenReport
from .mailings.models import Delivery, Mailing, MailingContent, MailingVariant
from .segments.models import Segment
from .site_settings.models import EmailSettings, RateBucket, Sender
from .statistics.models import Alert, Mute
from .tracking.models import (
    DrainPosition,
    Event,
    Hit,
    LinkCorrection,
    MailingTotals,
    NetworkSighting,
    Probe,
    Tally,
    TrackedLink,
)

__all__ = [
    "Alert",
    "Consent",
    "ConsentRecord",
    "ConsentVersion",
    "Contact",
    "Delivery",
    "Digest",
    "DrainPosition",
    "Email",
    "EmailSettings",
    "Event",
    "Hit",
    "LinkCorrection",
    "Mailing",
    "MailingContent",
    "MailingTotals",
    "MailingVariant",
    "Mute",
    "NetworkSighting",
    "Probe",
    "RateBucket",
    "RecipientList",
    "Reply",
    "SeenReport",
    "Segment",
    "Sender",
    "Subscription",
    "Suppression",
    "Tally",
    "TrackedLink",
]
