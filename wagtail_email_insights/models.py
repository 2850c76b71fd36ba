"""Every model of the app, gathered for Django; the packages themselves define them."""

from .consents.models import Consent, ConsentRecord, ConsentVersion
from .contacts.models import Contact, RecipientList, Subscription, Suppression
from .emails.models import Email
from .mailings.models import Delivery, Mailing, MailingContent
from .segments.models import Segment
from .site_settings.models import EmailSettings
from .tracking.models import Event, TrackedLink

__all__ = [
    "Consent",
    "ConsentRecord",
    "ConsentVersion",
    "Contact",
    "Delivery",
    "Email",
    "EmailSettings",
    "Event",
    "Mailing",
    "MailingContent",
    "RecipientList",
    "Segment",
    "Subscription",
    "Suppression",
    "TrackedLink",
]
