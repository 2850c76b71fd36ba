"""Every model of the app, gathered for Django; the packages themselves define them."""

from .consents.models import Consent, ConsentRecord, ConsentVersion
from .contacts.models import Contact, RecipientList, Subscription, Suppression
from .digests.models import Digest
from .emails.models import Email
from .feedback.models import Reply, SeenReport
from .mailings.models import Delivery, Mailing, MailingContent, MailingVariant
from .segments.models import Segment
from .site_settings.models import EmailSettings, RateBucket, Sender
from .tracking.models import Event, TrackedLink

__all__ = [
    "Consent",
    "ConsentRecord",
    "ConsentVersion",
    "Contact",
    "Delivery",
    "Digest",
    "Email",
    "EmailSettings",
    "Event",
    "Mailing",
    "MailingContent",
    "MailingVariant",
    "RateBucket",
    "RecipientList",
    "Reply",
    "SeenReport",
    "Segment",
    "Sender",
    "Subscription",
    "Suppression",
    "TrackedLink",
]
