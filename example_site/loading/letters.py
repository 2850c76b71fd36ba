"""The garden's letters: four that went out weeks ago, and one that waits to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F
from django.utils import timezone
from wagtail.documents.models import Document
from wagtail.images.models import Image
from wagtail.models import Page, Site

from wagtail_email_insights.consents.queries import may_be_known
from wagtail_email_insights.contacts.models import Contact, RecipientList
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import DeliveryState, Mailing, MailingState
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.sending.preparing import prepare
from wagtail_email_insights.site_settings.models import EmailSettings

from .pages import Pictures

Block = tuple[str, Any]


class Letter(NamedTuple):
    """One past letter; ``also_to`` is the second list it went to, ``page`` what it is about."""

    days_ago: int
    also_to: str
    title: str
    subject: str
    preheader: str
    text: str
    page: str
    picture: str


PAST_LETTERS = (
    Letter(
        35,
        "friends",
        "Letter 1: The meadow",
        "Eight weeks of meadow start now",
        "The first cowslips are out on the long slope.",
        '<p>Dear {{ first_name|default:"friend of the garden" }},</p><p>the first cowslips are '
        "out. From now until the hay cut there is something new on the long slope every few "
        "days.</p>",
        "meadow",
        "meadow",
    ),
    Letter(
        21,
        "workshops",
        "Letter 2: Plant sale",
        "Young plants looking for a home",
        "Saturday from nine. Bring a box.",
        '<p>Dear {{ first_name|default:"gardener" }},</p><p>the benches are full: sweet peas, '
        "tomatoes, ferns, and as every year far too many courgettes.</p>",
        "plant-sale",
        "seedlings",
    ),
    Letter(
        12,
        "friends",
        "Letter 3: The fern house",
        "The fern house is green again",
        "Two winters of repairs, forty-one new fronds.",
        '<p>Dear {{ first_name|default:"friend of the garden" }},</p><p>on Friday the doors of '
        "the fern house open again. We would love to show you the new path through the "
        "crowns.</p>",
        "fern-house",
        "ferns",
    ),
    Letter(
        4,
        "workshops",
        "Letter 4: The pond",
        "Lilies between ten and four",
        "Which of the thirty kinds opens when.",
        '<p>Dear {{ first_name|default:"early riser" }},</p><p>the best hour on the bridge is '
        "the one before eleven. Here is what opens when.</p>",
        "lily-pond",
        "pond",
    ),
)

# What people click beside the letter's own topic. All on this site: following a link in the
# demonstration needs no network.
SEED_EXCHANGE = f"{settings.WAGTAILADMIN_BASE_URL}/plant-sale/?from=letter&season=spring"
EVENING_WALKS = f"{settings.WAGTAILADMIN_BASE_URL}/visit/?walk=evening"


def make_settings() -> Site:
    """Name the sender of the site's letters; links follow the address the site runs at."""
    site = Site.objects.get(is_default_site=True)
    EmailSettings.objects.update_or_create(
        site=site,
        defaults={
            "from_name": "Fernhill Garden",
            "from_email": "letters@fernhill.example",
            "reply_to": "gate@fernhill.example",
            "postal_address": "Fernhill Garden\nHill Lane 1\nFernhill",
        },
    )
    return site


def send_past_letters(
    home: Page,
    pictures: Pictures,
    lists: Sequence[RecipientList],
    document: Document,
    *,
    site: Site,
    user: AbstractBaseUser,
) -> list[Mailing]:
    """Write and "send" the past letters: prepared as ever, then settled on their day.

    The newest one has *document* attached.
    """
    by_slug = {recipient_list.slug: recipient_list for recipient_list in lists}
    mailings = []
    for letter in PAST_LETTERS:
        attached = [document] if letter is PAST_LETTERS[-1] else []
        email = _publish(_past_email(letter, home, pictures, attached), user)
        mailing = Mailing.objects.create(
            email=email,
            revision=email.latest_revision,
            site=site,
            created_by=user,
            state=MailingState.PREPARING,
        )
        mailing.recipient_lists.set([lists[0], by_slug[letter.also_to]])
        prepare(mailing)
        settle(mailing, timezone.now() - timedelta(days=letter.days_ago))
        mailings.append(mailing)
    return mailings


def settle(mailing: Mailing, at: datetime) -> None:
    """Mark every copy that was due as handed over at *at*, a few as refused."""
    due = mailing.deliveries.filter(state=DeliveryState.QUEUED)
    due.filter(contact__in=Contact.objects.filter(may_be_known())).update(identified=True)
    due.annotate(remainder=F("contact_id") % 173).filter(remainder=0).update(
        state=DeliveryState.FAILED,
        settled_at=at,
        attempts=1,
        error="550 5.1.1 User unknown",
    )
    due.update(state=DeliveryState.SENT, settled_at=at, attempts=1)
    Mailing.objects.filter(pk=mailing.pk).update(
        state=MailingState.SENT,
        created_at=at - timedelta(hours=3),
        started_at=at,
        finished_at=at + timedelta(minutes=2),
    )
    mailing.refresh_from_db()


def make_segment() -> Segment:
    return Segment.objects.create(
        name="Clicked in the last 30 days",
        description="Followed any link in any of our letters.",
        conditions=[("clicked_link", {"days": 30})],
    )


def make_draft(home: Page, pictures: Pictures, document: Document, user: AbstractBaseUser) -> Email:
    """The letter that is finished and waits for somebody to press Send."""
    body = [
        _heading("Long evenings"),
        _text(
            '<p>Dear {{ first_name|default:"friend of the garden" }},</p><p>from the first of '
            "the month the gate stays open until ten. Come when the bats do: we walk round the "
            f'pond every Thursday, with lanterns. <a href="{EVENING_WALKS}">Dates and meeting '
            "point</a></p>"
        ),
        _image(pictures["pond"], "Water lilies on the pond in the evening"),
        _button("Book an evening walk", f"{EVENING_WALKS}&book=1"),
        _attachment(document),
        ("divider", None),
        ("newest_pages", {"number": 2}),
    ]
    email = Email(
        title="Letter 5: Long evenings",
        subject="The gate stays open until ten",
        preheader="Lantern walks round the pond, every Thursday.",
        body=body,
        live=False,
    )
    email.save()
    email.save_revision(user=user)
    return email


def _past_email(
    letter: Letter, home: Page, pictures: Pictures, attached: Sequence[Document]
) -> Email:
    page = _page(home, letter.page)
    return Email(
        title=letter.title,
        subject=letter.subject,
        preheader=letter.preheader,
        body=[
            _heading(letter.subject),
            _text(letter.text),
            _image(pictures[letter.picture], pictures[letter.picture].title),
            _button("Read more", page.full_url),
            *(_attachment(document) for document in attached),
            ("divider", None),
            _teaser(_page(home, "visit")),
            _text(f'<p>Have seeds to spare? <a href="{SEED_EXCHANGE}">Seed exchange</a></p>'),
        ],
    )


def _publish(email: Email, user: AbstractBaseUser) -> Email:
    email.save()
    email.save_revision(user=user).publish()
    email.refresh_from_db()
    return email


def _page(home: Page, slug: str) -> Page:
    return home.get_children().get(slug=slug)


def _heading(text: str) -> Block:
    return "heading", {"text": text, "size": "h1"}


def _text(html: str) -> Block:
    return "rich_text", html


def _image(image: Image, alt: str) -> Block:
    return "image", {"image": image, "alt": alt}


def _button(text: str, url: str) -> Block:
    return "button", {"text": text, "url": url, "alignment": "center"}


def _attachment(document: Document) -> Block:
    return "attachment", {"document": document, "text": "To print and take along"}


def _teaser(page: Page) -> Block:
    return "page_teaser", {"page": page}
