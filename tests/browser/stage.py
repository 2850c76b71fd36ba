"""Sets the scene: e-mails never sent, sent and read, sent to nobody who may be known, and huge."""

from __future__ import annotations

from datetime import timedelta

from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone
from wagtail.documents.models import Document
from wagtail.models import Site

from tests.factories import make_contact, make_email, make_mailing, subscribe
from tests.story import stage
from wagtail_email_insights import tokens
from wagtail_email_insights.contacts import actions as contact_actions
from wagtail_email_insights.contacts.models import RecipientList
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingContent,
    MailingState,
)
from wagtail_email_insights.sending.preparing import prepare
from wagtail_email_insights.statistics import alerts, muting
from wagtail_email_insights.tokens import Kind
from wagtail_email_insights.tracking import corrections, ledger
from wagtail_email_insights.tracking.models import (
    Device,
    Dimension,
    Event,
    EventKind,
    LeavingReason,
    MailingTotals,
    Scope,
    Tally,
    TrackedLink,
    Verdict,
)

HTML = (
    "<!doctype html><html><head><title>News</title></head><body><h1>News</h1>"
    '<p>Dear {{ first_name|default:"reader" }}</p><a href="{{ link_0 }}">Read more</a>'
    "</body></html>"
)
MILLIONS = 12_345_678
READERS = 6


def set_up() -> None:
    """Create one e-mail for each state that a screen can be in; the number is its key."""
    stage.set_up()
    news = RecipientList.objects.get(slug="news")
    known = [_reader(news, f"reader{number}", agrees=True) for number in range(READERS)]
    unknown = [_reader(news, f"stranger{number}", agrees=False) for number in range(READERS)]
    make_email("Never sent")
    _read(_sent("Read by many", [*known, *unknown]))
    _read(_sent("Read by strangers", unknown))
    _huge(_sent("Read by millions", known))


def _reader(news: RecipientList, name: str, *, agrees: bool):
    contact = make_contact(f"{name}@readers.example", agrees=agrees)
    subscription = subscribe(contact, news)
    subscription.created_at = timezone.now() - timedelta(days=30)
    subscription.save()
    return contact


def _sent(title: str, contacts: list) -> Mailing:
    """A mailing as it is two hours after everybody got it, without having mailed anybody."""
    at = timezone.now() - timedelta(hours=2)
    mailing = make_mailing(
        make_email(title), state=MailingState.SENT, started_at=at, finished_at=at
    )
    MailingContent.objects.create(
        mailing=mailing,
        subject=title,
        html=HTML,
        text="News",
        from_email="news@example.org",
        base_url="https://example.org",
        anonymous_counting="per_copy",
    )
    TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.org/a/long/one")
    for contact in contacts:
        Delivery.objects.create(
            mailing=mailing,
            contact=contact,
            state=DeliveryState.SENT,
            identified=contact.email.startswith("reader"),
            settled_at=at,
        )
    return mailing


def _read(mailing: Mailing) -> None:
    """Have everybody open it, some click, one leave, and a machine follow everything."""
    link = mailing.links.get()
    copies = list(mailing.deliveries.order_by("pk"))
    kinds = {
        EventKind.OPEN: copies,
        EventKind.CLICK: copies[::2],
        EventKind.UNSUBSCRIBE: copies[:1],
    }
    events = [_event(mailing, copy, kind, link) for kind, some in kinds.items() for copy in some]
    scanned = _event(mailing, copies[1], EventKind.CLICK, link)
    scanned.verdict, scanned.verdict_reason = Verdict.MACHINE, "trap"
    ledger.store([*events, scanned])


def _event(mailing: Mailing, copy: Delivery, kind: EventKind, link: TrackedLink) -> Event:
    return Event(
        kind=kind,
        mailing=mailing,
        link=link if kind == EventKind.CLICK else None,
        contact=copy.contact if copy.identified else None,
        copy=copy.pk if copy.identified else -copy.pk,
        at=mailing.started_at + timedelta(minutes=7 * (copy.pk % 10)),
        device=Device.PHONE,
        client="firefox",
        why=LeavingReason.TOO_OFTEN if kind == EventKind.UNSUBSCRIBE else "",
    )


def _huge(mailing: Mailing) -> None:
    """Write sums of millions straight into the tables that hold them."""
    everybody = dict.fromkeys(
        ("audience", "attempted", "sent", "identified", "told_apart"), MILLIONS
    )
    MailingTotals.objects.update_or_create(
        mailing=mailing, defaults={**everybody, "is_fresh": True}
    )
    numbers = {"opened": MILLIONS // 2, "opens": MILLIONS, "clicked": MILLIONS // 5}
    numbers |= {"clicks": MILLIONS // 4, "unsubscribed": MILLIONS // 1000}
    hour = f"{mailing.started_at:%Y-%m-%dT%H}"
    parts = [
        (Dimension.ALL, ""),
        (Dimension.LINK, str(mailing.links.get().pk)),
        (Dimension.DEVICE, Device.PHONE),
        (Dimension.HOUR, hour),
    ]
    Tally.objects.bulk_create(
        Tally(mailing=mailing, scope=scope, dimension=dimension, key=key, **numbers)
        for scope in Scope
        for dimension, key in parts
    )


def set_up_findings() -> dict[str, str]:
    """Let something look wrong, a link be corrected and a mailing go out; returns addresses."""
    mailing = Mailing.objects.get(email__title="Read by many")
    _complain(mailing)
    corrections.correct(mailing.links.get(), "https://example.org/a/better/one", user=None)
    muting.mute(Email.objects.get(title="Read by millions"), "unsubscribe_spike")
    _report_as_spam(Mailing.objects.get(email__title="Read by millions"))
    alerts.refresh()
    under_way = _under_way()
    stays, leaves = mailing.deliveries.order_by("-pk")[:2]
    contact_actions.unsubscribe(leaves.contact, list(RecipientList.objects.all()), mailing=mailing)
    everybody = make_contact("leaving@readers.example")
    subscribe(everybody, RecipientList.objects.get(slug="news"))
    leaving = Delivery.objects.create(
        mailing=mailing, contact=everybody, state=DeliveryState.SENT, identified=True
    )
    return {
        "unsubscribe": _address("unsubscribe", Kind.UNSUBSCRIBE, stays.pk),
        "on_no_list": _address("unsubscribe", Kind.UNSUBSCRIBE, leaves.pk),
        "leaving": _address("unsubscribe", Kind.UNSUBSCRIBE, leaving.pk),
        "web_version": _address("web_version", Kind.WEB_VERSION_ANONYMOUS, under_way.pk, 0, 0),
        "unsubscribe_note": reverse("wagtail_email_insights:web_version_unsubscribe"),
        "expired_file": _address("file", Kind.FILE, _expired_file(mailing).pk, stays.pk),
    }


def _complain(mailing: Mailing) -> None:
    copy, link = mailing.deliveries.first(), mailing.links.get()
    ledger.store([_event(mailing, copy, EventKind.COMPLAINT, link)])


def _report_as_spam(mailing: Mailing) -> None:
    tallies = Tally.objects.filter(mailing=mailing, dimension=Dimension.ALL)
    tallies.update(complained=MILLIONS // 100)


def _under_way() -> Mailing:
    email = make_email("On its way")
    mailing = make_mailing(
        email,
        RecipientList.objects.get(slug="news"),
        revision=email.latest_revision,
        site=Site.objects.get(is_default_site=True),
        state=MailingState.PREPARING,
    )
    prepare(mailing)
    mailing.deliveries.filter(pk=mailing.deliveries.first().pk).update(state=DeliveryState.SENT)
    Mailing.objects.filter(pk=mailing.pk).update(
        state=MailingState.SENDING, started_at=timezone.now()
    )
    return mailing


def _expired_file(mailing: Mailing) -> TrackedLink:
    document = Document(title="Programme")
    document.file.save("programme.txt", ContentFile(b"Roses"))
    return TrackedLink.objects.create(
        mailing=mailing,
        position=1,
        url=document.url,
        document_id=document.pk,
        expires_at=timezone.now() - timedelta(days=1),
    )


def _address(name: str, kind: Kind, *values: int) -> str:
    return reverse(f"wagtail_email_insights:{name}", args=[tokens.make(kind, *values)])
