from __future__ import annotations

import pytest
from django.utils import timezone

from tests.factories import make_list, subscribe
from tests.feedback.messages.building import READER, mail
from wagtail_email_insights import tokens
from wagtail_email_insights.contacts.models import Suppression
from wagtail_email_insights.feedback import receivers
from wagtail_email_insights.mailings.models import DeliveryState
from wagtail_email_insights.tokens import Kind
from wagtail_email_insights.tracking.models import Event

signals = pytest.importorskip("anymail.signals")
inbound = pytest.importorskip("anymail.inbound")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _connected():
    receivers.connect()


def tell(event_type: str, *, to: str = READER, esp: str = "Postmark", **fields) -> None:
    event = signals.AnymailTrackingEvent(
        event_type=event_type, recipient=to, timestamp=timezone.now(), **fields
    )
    signals.tracking.send(sender=object, event=event, esp_name=esp)


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def reason() -> str | None:
    return Suppression.objects.values_list("reason", flat=True).first()


BOUNCES = {
    "postmark_hard": ({"reject_reason": "bounced", "esp_event": {"Type": "HardBounce"}}, "hard"),
    "postmark_soft": ({"reject_reason": "bounced", "esp_event": {"Type": "SoftBounce"}}, "soft"),
    "ses_permanent": (
        {"reject_reason": "bounced", "esp_event": {"bounce": {"bounceType": "Permanent"}}},
        "hard",
    ),
    "ses_transient": (
        {"reject_reason": "bounced", "esp_event": {"bounce": {"bounceType": "Transient"}}},
        "soft",
    ),
    "mailgun": ({"esp_event": {"event-data": {"severity": "permanent"}}}, "hard"),
    "brevo": ({"reject_reason": "bounced", "esp_event": {"event": "hard_bounce"}}, "hard"),
    "invalid": ({"reject_reason": "invalid"}, "hard"),
    "words": ({"mta_response": "550 5.1.1 User unknown"}, "hard"),
    "full": (
        {"mta_response": "552 5.2.2 mailbox full", "esp_event": {"Type": "HardBounce"}},
        "soft",
    ),
    "policy": (
        {"mta_response": "550 5.7.1 blocked", "esp_event": {"Type": "HardBounce"}},
        "soft",
    ),
    "timed_out": ({"reject_reason": "timed_out"}, "soft"),
    "no_words": ({}, "soft"),
}


@pytest.mark.parametrize("name", BOUNCES)
def test_a_bounce_is_hard_only_if_somebody_says_for_good(delivery, name):
    fields, severity = BOUNCES[name]
    tell("bounced", **fields)
    assert kinds() == [f"{severity}_bounce"]
    assert reason() == ("hard_bounce" if severity == "hard" else None)


def test_a_provider_that_refuses_a_bounced_address_is_believed(delivery):
    tell("rejected", reject_reason="bounced")
    assert reason() == "hard_bounce"


def test_a_provider_that_blocks_is_not_held_against_the_person(delivery):
    tell("rejected", reject_reason="blocked")
    delivery.contact.refresh_from_db()
    assert (delivery.contact.soft_bounces, reason()) == (0, None)


def test_our_own_message_id_leads_to_the_copy(make_delivery):
    first, second = make_delivery(), None
    second = make_delivery(contact=first.contact)
    tell("delivered", message_id=f"<{tokens.make(Kind.MESSAGE, first.pk)}@news.example>")
    tell("delivered", metadata={"copy": tokens.make(Kind.MESSAGE, second.pk)}, message_id="7")
    assert list(Event.objects.order_by("pk").values_list("copy", flat=True)) == [
        first.pk,
        second.pk,
    ]


def test_an_arrival_settles_an_uncertain_copy(make_delivery):
    delivery = make_delivery(state=DeliveryState.UNCERTAIN)
    tell("delivered", message_id=f"<{tokens.make(Kind.MESSAGE, delivery.pk)}@news.example>")
    delivery.refresh_from_db()
    assert (kinds(), delivery.state) == (["delivered"], DeliveryState.SENT)


def test_the_arrival_of_some_other_mail_settles_nothing(make_delivery):
    delivery = make_delivery(state=DeliveryState.UNCERTAIN)
    tell("delivered", message_id="<confirmation@esp.example>")
    delivery.refresh_from_db()
    assert (kinds(), delivery.state) == ([], DeliveryState.UNCERTAIN)


def test_a_complaint_suppresses_for_ever(delivery):
    tell("complained", description="abuse")
    assert (kinds()[0], reason()) == ("complaint", "complaint")


def test_an_unsubscription_at_the_provider_counts_here(delivery):
    subscription = subscribe(delivery.contact, make_list())
    tell("unsubscribed")
    subscription.refresh_from_db()
    assert (subscription.status, reason()) == ("unsubscribed", "unsubscribed")


def test_a_webhook_that_comes_twice_counts_once(make_delivery):
    make_delivery()
    for _ in range(2):
        tell("autoresponded", event_id="e1")
    tell("autoresponded", event_id="e2")
    assert kinds() == ["auto_reply"] * 2


@pytest.mark.parametrize("event_type", ["queued", "sent", "deferred", "opened", "clicked"])
def test_other_events_are_nobodys_feedback(delivery, event_type):
    tell(event_type)
    assert kinds() == []


def test_strangers_and_missing_fields_do_nothing():
    tell("bounced", to="nobody@mail.example", reject_reason="invalid")
    tell("complained", to=None)
    assert kinds() == []


@pytest.mark.parametrize(
    ("subject", "kind"), [("Re: June news", "reply"), ("Out of office: x", "auto_reply")]
)
def test_an_inbound_mail_is_taken_in(delivery, subject, kind):
    message = inbound.AnymailInboundMessage.parse_raw_mime_bytes(
        mail("Thank you", From=READER, Subject=subject)
    )
    for _ in range(2):
        event = signals.AnymailInboundEvent(event_type="inbound", message=message)
        signals.inbound.send(sender=object, event=event, esp_name="Mailgun")
    assert kinds() == [kind]


def test_a_site_without_anymail_starts(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "anymail.signals", None)
    receivers.connect()
