"""Loading the demonstration, and throwing it away again."""

from __future__ import annotations

import random
from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from wagtail.documents.models import Document
from wagtail.images.models import Image
from wagtail.models import Page, Site

from example_site.home.models import HomePage
from wagtail_email_insights.consents.queries import current_version, tracking_consent
from wagtail_email_insights.contacts.models import Contact, RecipientList, Suppression
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.actions import erase
from wagtail_email_insights.mailings.models import Mailing
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.tracking.models import Event

from .documents import make_document
from .letters import make_draft, make_segment, make_settings, send_past_letters
from .pages import make_site
from .people import make_contacts, make_lists, record_consents, subscribe_contacts
from .pictures import draw_pictures
from .readers import read_letter, withdraw_consents

# The same people and the same clicks on every machine.
SEED = 1759


def is_loaded() -> bool:
    return HomePage.objects.exists()


def use_port(port: int) -> None:
    """Links in mails follow the port that the site is served on this time."""
    Site.objects.filter(is_default_site=True).update(port=port)


@transaction.atomic
def load(contacts: int, port: int, *, say: Callable[[str], object]) -> None:
    """Load everything or nothing."""
    chance, now = random.Random(SEED), timezone.now()
    user = get_user_model().objects.create_superuser("admin", "admin@example.org", "demo")
    say("Drawing pictures and building pages …")
    lists = make_lists()
    pictures = draw_pictures()
    home = make_site(port, pictures, lists)
    site, document = make_settings(), make_document()
    say(f"Inviting {contacts} readers …")
    people = make_contacts(contacts, chance, now)
    subscribe_contacts(people, lists, chance)
    doubters = record_consents(people, current_version(tracking_consent(), "en"), chance)
    say("Sending four letters, weeks ago …")
    mailings = send_past_letters(home, pictures, lists, document, site=site, user=user)
    say("Having them read …")
    for mailing in mailings:
        read_letter(mailing, chance, now)
    withdraw_consents(doubters, chance, now)
    make_segment()
    make_draft(home, pictures, document, user)


@transaction.atomic
def reset() -> None:
    """Throw away what ``load`` made, and whatever was added since."""
    for mailing in Mailing.objects.all():
        erase(mailing)
    for model in (Email, Event, Segment, Contact, RecipientList, Suppression, Image, Document):
        model.objects.all().delete()
    for page in Page.objects.filter(depth=2):
        page.delete()
    get_user_model().objects.filter(username="admin").delete()
