from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_contact, make_list, subscribe
from tests.feedback.messages.building import READER, dsn, failed, mail, recipient_fields
from tests.feedback.messages.complaints import RFC, arf
from wagtail_email_insights import signals, tokens
from wagtail_email_insights.contacts import actions as contact_actions
from wagtail_email_insights.contacts.models import (
    Contact,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)
from wagtail_email_insights.feedback import actions
from wagtail_email_insights.feedback.models import Reply
from wagtail_email_insights.feedback.reports import Category, Report, ReportKind
from wagtail_email_insights.mailings.models import DeliveryState
from wagtail_email_insights.tokens import Kind
from wagtail_email_insights.tracking.models import Event, EventKind

pytestmark = pytest.mark.django_db


def with_token(raw: bytes, delivery) -> bytes:
    return raw.replace(b"original-1", tokens.make(Kind.MESSAGE, delivery.pk).encode())


def hard(delivery) -> bytes:
    return with_token(failed("5.1.1", "550 5.1.1 unknown"), delivery)


def soft(delivery, reason: str = "452 4.2.2 full", code: str = "4.2.2") -> bytes:
    return with_token(failed(code, reason), delivery)


def suppression(email: str = READER) -> Suppression | None:
    return Suppression.objects.filter(email=email).first()


def test_a_hard_bounce_suppresses_at_once(delivery):
    [event] = actions.handle(hard(delivery))
    assert (event.kind, event.contact, event.mailing, event.copy) == (
        EventKind.HARD_BOUNCE,
        delivery.contact,
        delivery.mailing,
        delivery.pk,
    )
    assert event.value == "unknown_address: 550 5.1.1 unknown"
    assert (suppression().reason, suppression().expires_at) == ("hard_bounce", None)


def test_the_same_message_counts_once(delivery):
    assert len(actions.handle(soft(delivery))) == 1
    assert actions.handle(soft(delivery)) == []
    delivery.contact.refresh_from_db()
    assert delivery.contact.soft_bounces == 1


def test_a_copy_counts_once_however_often_its_server_reports(delivery):
    for day in range(4):
        actions.handle(soft(delivery, f"452 4.2.2 full, day {day}"))
    delivery.contact.refresh_from_db()
    assert delivery.contact.soft_bounces == 1
    assert Event.objects.count() == 1


def test_five_copies_in_a_row_suppress_for_a_while(make_delivery, settings):
    contact = make_contact(READER)
    for number in range(5):
        assert suppression() is None, number
        actions.handle(soft(make_delivery(contact=contact)))
    assert suppression().reason == SuppressionReason.SOFT_BOUNCES
    days = (suppression().expires_at - timezone.now()).total_seconds() / 86_400
    assert 29.9 < days < 30.1


def test_the_limit_and_the_time_are_settings(make_delivery, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"soft_bounce_limit": 1, "soft_bounce_days": 2}
    actions.handle(soft(make_delivery()))
    assert suppression().expires_at < timezone.now() + timedelta(days=2, seconds=1)


def test_zero_switches_the_limit_off(make_delivery, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"soft_bounce_limit": 0}
    actions.handle(soft(make_delivery()))
    assert suppression() is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("5.7.1", "554 5.7.1 blocked using zen.spamhaus.org"),
        ("5.7.26", "550 5.7.26 DMARC"),
        ("4.7.28", "421 4.7.28 unusual rate"),
        ("5.3.4", "552 5.3.4 Message too large"),
    ],
)
def test_the_senders_fault_is_never_held_against_the_person(delivery, code, reason, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"soft_bounce_limit": 1}
    [event] = actions.handle(soft(delivery, reason, code))
    delivery.contact.refresh_from_db()
    assert event.kind == EventKind.SOFT_BOUNCE
    assert (delivery.contact.soft_bounces, suppression()) == (0, None)


def test_an_arrival_ends_the_row_of_soft_bounces(make_delivery):
    contact = make_contact(READER, soft_bounces=4)
    event = actions.record_delivered(make_delivery(contact=contact))
    contact.refresh_from_db()
    assert (event.kind, contact.soft_bounces) == (EventKind.DELIVERED, 0)


@pytest.mark.parametrize("report", [hard, soft])
def test_an_uncertain_copy_that_came_back_had_left(make_delivery, report):
    delivery = make_delivery(state=DeliveryState.UNCERTAIN)
    actions.handle(report(delivery))
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT


def test_an_uncertain_copy_that_arrived_is_sent(make_delivery):
    delivery = make_delivery(state=DeliveryState.UNCERTAIN)
    raw = dsn(recipient_fields("2.0.0", "250 ok", "delivered"))
    [event] = actions.handle(with_token(raw, delivery))
    delivery.refresh_from_db()
    assert (event.kind, delivery.state) == (EventKind.DELIVERED, DeliveryState.SENT)


def test_a_complaint_takes_off_every_list_for_ever(delivery):
    news = make_list()
    subscription = subscribe(delivery.contact, news)
    raw = with_token(arf(RFC.format("abuse", "redacted@mail.example")), delivery)
    [event] = actions.handle(raw)
    assert (event.kind, event.contact, event.value) == ("complaint", delivery.contact, "abuse")
    assert (suppression().reason, suppression().expires_at) == ("complaint", None)
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.UNSUBSCRIBED
    left = Event.objects.get(kind=EventKind.UNSUBSCRIBE)
    assert (left.mailing, left.copy) == (delivery.mailing, delivery.pk)


def test_a_complaint_outlasts_a_later_confirmation(delivery):
    contact_actions.suppress(READER, SuppressionReason.UNSUBSCRIBED_ALL)
    actions.record_complaint(delivery.contact, delivery=delivery)
    contact_actions.confirm(subscribe(delivery.contact, make_list()))
    assert suppression().reason == SuppressionReason.COMPLAINT


def test_a_weaker_reason_never_replaces_a_stronger_one(delivery):
    contact_actions.suppress(READER, SuppressionReason.MANUAL)
    actions.handle(hard(delivery))
    assert suppression().reason == SuppressionReason.MANUAL


def test_a_suppression_that_ran_out_is_renewed(delivery):
    yesterday = timezone.now() - timedelta(days=1)
    Suppression.objects.create(email=READER, reason="manual", expires_at=yesterday)
    actions.handle(hard(delivery))
    assert (suppression().reason, suppression().expires_at) == ("hard_bounce", None)


def test_the_envelope_sender_leads_to_the_copy(delivery):
    token = tokens.make_caseless(Kind.MESSAGE, delivery.pk).upper()
    [event] = actions.handle(
        mail("<x@y.example>: 550 5.1.1 unknown", To=f"bounce+{token}@news.example")
    )
    assert (event.kind, event.contact) == (EventKind.HARD_BOUNCE, delivery.contact)


def test_a_young_copy_is_found_by_address(delivery):
    [event] = actions.handle(failed("5.1.1", "550 5.1.1 unknown"))
    assert event.copy == delivery.pk


def test_a_forged_bounce_of_somebody_without_young_mail_does_nothing(make_delivery):
    make_delivery(settled_at=timezone.now() - timedelta(days=20))
    make_contact("tom@mail.example")
    assert actions.handle(failed("5.1.1", "550 5.1.1 unknown")) == []
    assert actions.handle(failed("5.1.1", "550", recipient="tom@mail.example")) == []
    assert not Suppression.objects.exists()


def test_a_trusted_report_needs_no_copy():
    contact = make_contact(READER)
    report = Report(ReportKind.HARD, READER, "5.1.1", "gone", Category.UNKNOWN_ADDRESS)
    event = actions.take_in(report)
    assert (event.contact, event.mailing) == (contact, None)
    assert suppression().reason == SuppressionReason.HARD_BOUNCE


def test_the_same_trusted_report_counts_once():
    make_contact(READER)
    report = Report(ReportKind.SOFT, READER, reason="full", message_id="<7@esp.example>")
    assert [bool(actions.take_in(report)) for _ in range(2)] == [True, False]
    assert Contact.objects.get().soft_bounces == 1


def test_a_copy_whose_contact_is_erased_still_counts(delivery):
    raw = hard(delivery)
    delivery.contact.delete()
    [event] = actions.handle(raw)
    assert (event.contact, event.copy) == (None, delivery.pk)
    assert suppression() is None


def test_strangers_and_junk_leave_no_trace():
    for raw in (b"", b"\x00\xff", failed("5.1.1", "550"), mail("Buy!", From="x@y.example")):
        assert actions.handle(raw) == []
    assert not Event.objects.exists()


def test_an_automatic_reply_is_only_an_event(delivery):
    raw = mail("I am away.", From=READER, Subject="Out of Office: June news")
    [event] = actions.handle(raw)
    assert (event.kind, event.contact) == (EventKind.AUTO_REPLY, delivery.contact)
    assert not hasattr(event, "reply")
    assert suppression() is None


def test_a_reply_is_kept_with_its_words(delivery):
    token = tokens.make(Kind.MESSAGE, delivery.pk)
    raw = mail(
        "Gladly!\n\nOn 20 Nov 2026, News wrote:\n> Will you come?\n",
        From="Ann at work <ann@work.example>",
        Subject="Re: June news",
        In_Reply_To=f"<{token}@news.example>",
    )
    [event] = actions.handle(raw)
    assert (event.kind, event.contact, event.copy) == ("reply", delivery.contact, delivery.pk)
    assert (event.reply.subject, event.reply.text) == ("Re: June news", "Gladly!")
    assert "Will you come?" in event.reply.full_text


def test_two_replies_to_one_mail_are_two(delivery):
    for number in range(2):
        actions.handle(mail(f"Answer {number}", From=READER, Subject="Re: June news"))
    assert Event.objects.filter(kind=EventKind.REPLY).count() == 2


def test_a_reply_is_stored_only_up_to_a_length(delivery):
    event = actions.record_reply(delivery.contact, text="a\x00b" * 200_000, delivery=delivery)
    assert len(event.reply.full_text) == 100_000
    assert "\x00" not in event.reply.full_text


def test_every_event_is_told(delivery, django_capture_on_commit_callbacks):
    told = []
    receiver = lambda event, **_: told.append(event)  # noqa: E731
    signals.event_recorded.connect(receiver)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            events = actions.handle(hard(delivery))
        assert events == told
    finally:
        signals.event_recorded.disconnect(receiver)


def test_what_somebody_wrote_goes_with_them_and_the_count_stays(delivery):
    actions.handle(mail("I will come.", From=READER, Subject="Re: June news"))
    actions.handle(hard(delivery))
    delivery.contact.delete()
    assert not Reply.objects.exists()
    assert set(Event.objects.values_list("kind", "contact", "value")) == {
        (EventKind.REPLY, None, ""),
        (EventKind.HARD_BOUNCE, None, ""),
    }


def test_resetting_lifts_bounces_and_nothing_else(delivery):
    contact = delivery.contact
    Contact.objects.update(soft_bounces=3)
    actions.handle(hard(delivery))
    assert actions.reset_bounces(contact) is True
    contact.refresh_from_db()
    assert (contact.soft_bounces, suppression()) == (0, None)
    contact_actions.suppress(READER, SuppressionReason.COMPLAINT)
    assert actions.reset_bounces(contact) is False
    assert suppression().reason == SuppressionReason.COMPLAINT


def test_suppressions_are_imported_with_an_error_per_bad_row():
    contact_actions.suppress("known@mail.example", SuppressionReason.MANUAL)
    rows = [
        {"email": " Ann@Mail.example ", "reason": "hard_bounce", "note": "old system"},
        {"email": "tom@mail.example", "until": "2030-12-31"},
        {"email": "ann@mail.example"},
        {"email": "known@mail.example"},
        {"email": "nonsense"},
        {"email": "a@b.example", "reason": "whim"},
        {"email": "a@b.example", "until": "2030-99-99"},
        {},
    ]
    result = actions.import_suppressions(rows, first_line=2)
    assert (result.added, result.known) == (2, 2)
    assert [line for line, _sentence in result.errors] == [6, 7, 8, 9]
    assert suppression().reason == SuppressionReason.HARD_BOUNCE
    assert suppression("tom@mail.example").expires_at.year == 2030


def test_an_import_of_many_costs_few_queries(django_assert_max_num_queries):
    rows = [{"email": f"a{number}@mail.example"} for number in range(2_000)]
    with django_assert_max_num_queries(30):
        assert actions.import_suppressions(rows).added == 2_000
