"""The link in a confirmation mail: what it promises, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

from .. import tokens
from ..consents.models import ConsentAction, ConsentRecord, ConsentVersion
from ..contacts.models import Subscription, SubscriptionStatus
from ..site_settings.queries import base_url
from .errors import LinkTooOldError, NothingStoredError

# Long enough for a holiday; short enough that a forgotten mail in a mailbox that changed hands
# subscribes nobody.
VALID_DAYS = 30
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Confirmation:
    """What the owner of an address is asked to confirm."""

    subscription: Subscription
    version: ConsentVersion | None = None

    @property
    def is_done(self) -> bool:
        """Pressing the button would change nothing any more."""
        return self.is_subscribed and not self.lacks_consent

    @property
    def is_subscribed(self) -> bool:
        return self.subscription.status == SubscriptionStatus.SUBSCRIBED

    @property
    def lacks_consent(self) -> bool:
        """A consent was ticked whose newest record is not an agreement to this very wording."""
        if self.version is None:
            return False
        newest = ConsentRecord.objects.filter(
            contact_id=self.subscription.contact_id, consent_id=self.version.consent_id
        ).first()
        return not (
            newest and newest.action == ConsentAction.AGREE and newest.version == self.version
        )

    def url(self, site: Site | None) -> str:
        """Return the absolute address that goes into the mail."""
        version_id = self.version.pk if self.version else 0
        token = tokens.make(tokens.Kind.CONFIRM, self.subscription.pk, version_id, _today())
        path = reverse("wagtail_email_insights:confirm", args=[token])
        return base_url(site) + path


def find(token: str) -> Confirmation:
    """Return what *token* confirms.

    Raises TokenError (before any query) for what is not ours, LinkTooOldError after VALID_DAYS,
    NothingStoredError when the contact or the list is gone.
    """
    subscription_id, version_id, day = tokens.read(token, tokens.Kind.CONFIRM).values
    if _today() - day > VALID_DAYS:
        raise LinkTooOldError
    subscriptions = Subscription.objects.select_related("contact", "recipient_list")
    subscription = subscriptions.filter(pk=subscription_id).first()
    if subscription is None:
        raise NothingStoredError
    versions = ConsentVersion.objects.select_related("consent")
    return Confirmation(subscription, versions.filter(pk=version_id).first())


def _today() -> int:
    return int(timezone.now().timestamp() // SECONDS_A_DAY)
