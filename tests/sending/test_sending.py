from __future__ import annotations

import email
import re
from datetime import timedelta
from email import policy

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.models import Schedule

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights import queue, tokens
from wagtail_email_insights.consents.actions import withdraw
from wagtail_email_insights.consents.queries import tracking_consent
from wagtail_email_insights.contacts.actions import suppress, unsubscribe
from wagtail_email_insights.contacts.models import (
    Contact,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)
from wagtail_email_insights.mailings import audience
from wagtail_email_insights.mailings.models import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingState,
    SkipReason,
)
from wagtail_email_insights.mailings.queries import progress
from wagtail_email_insights.management.commands import email_insights
from wagtail_email_insights.sending import actions, batches
from wagtail_email_insights.sending.actions import NotPossible, NotReady
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.sending.reaper import run_due
from wagtail_email_insights.sending.watchdog import stalls
from wagtail_email_insights.site_settings.models import Sender
from wagtail_email_insights.tokens import Kind

pytestmark = pytest.mark.django_db


def parsed(message) -> email.message.EmailMessage:
    return email.message_from_bytes(message.raw, policy=policy.default)


def html_of(message) -> str:
    return parsed(message).get_body(("html",)).get_content()


def click_tokens(message) -> list[tokens.Token]:
    return [tokens.read(text) for text in re.findall(r'/email/c/([\w-]+)"', html_of(message))]


def test_everybody_on_the_list_gets_exactly_one_mail(mailing, send):
    outbox = send(mailing)
    assert sorted(message.to[0] for message in outbox) == [f"c{n}@example.org" for n in range(3)]
    assert mailing.state == MailingState.SENT
    assert progress(mailing).sent == 3


def test_sending_again_sends_nothing(mailing, send):
    send(mailing)
    work_on(mailing, seconds=5)
    with pytest.raises(NotPossible):
        actions.start(mailing)
    assert len(mail.outbox) == 3


def test_a_message_is_clean_mime(mailing, send):
    message = parsed(send(mailing)[0])
    assert message["From"] == "news@example.org"
    assert message["Subject"] == "June news"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(
        r"<http://testserver/email/one-click/[\w-]+/?>", message["List-Unsubscribe"]
    )
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert not message.defects
    raw = mail.outbox[0].raw
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()


def test_identified_links_carry_the_delivery_and_others_a_random_key(mailing, send):
    by_address = {message.to[0]: message for message in send(mailing)}
    delivery = Delivery.objects.get(contact__email="c0@example.org")
    known = click_tokens(by_address["c0@example.org"])
    assert {token.kind for token in known} == {Kind.CLICK}
    assert {token.values[1] for token in known} == {delivery.pk}
    keys = set()
    for address in ("c1@example.org", "c2@example.org"):
        unknown = click_tokens(by_address[address])
        assert {token.kind for token in unknown} == {Kind.CLICK_ANONYMOUS}
        keys |= {token.values[1] for token in unknown}
    assert len(keys) == 2
    assert not keys & set(Delivery.objects.values_list("pk", flat=True))


def test_shared_counting_gives_all_anonymous_copies_the_same_links(mailing, send, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"anonymous_counting": "shared"}
    by_address = {message.to[0]: message for message in send(mailing)}
    one, two = (click_tokens(by_address[f"c{n}@example.org"]) for n in (1, 2))
    assert one == two
    assert {token.values[1] for token in one} == {0}


def test_counting_switched_off_leaves_links_alone_and_has_no_pixel(mailing, send, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"anonymous_counting": "off"}
    by_address = {message.to[0]: html_of(message) for message in send(mailing)}
    assert "/email/c/" not in by_address["c1@example.org"]
    assert "/email/o/" not in by_address["c1@example.org"]
    assert 'href="https://example.com/a?x=1&amp;y=2"' in by_address["c1@example.org"]
    assert "/email/c/" in by_address["c0@example.org"]


def test_the_text_part_has_tracked_links_too(mailing, send):
    text = parsed(send(mailing)[0]).get_body(("plain",)).get_content()
    assert "/email/c/" in text
    assert "https://example.com/a" not in text


def test_merge_tags_are_filled_in_per_contact(news, send):
    for name in ("Zoë", "<b>"):
        subscribe(make_contact(first_name=name), news)
    body = [("rich_text", "<p>Dear {{ first_name|default:&quot;you&quot; }}</p>")]
    mailing = make_mailing(make_email(subject="For {{ first_name }}", body=body), news)
    first, second = send(mailing)
    assert parsed(first)["Subject"] == "For Zoë"
    assert "Dear Zoë" in html_of(first)
    assert "Dear &lt;b&gt;" in html_of(second)


def test_a_header_cannot_be_injected_by_a_name(news, send):
    subscribe(make_contact(first_name="x\r\nBcc: victim@example.org"), news)
    mailing = make_mailing(make_email(subject="Hi {{ first_name }}"), news)
    (message,) = send(mailing)
    assert parsed(message)["Bcc"] is None


def test_a_poison_contact_fails_alone(mailing, news, send):
    subscribe(make_contact(first_name="\x0b"), news)
    poison = ["line\nbreak@example.org", "ann@ex ample.org", f"ann@{'ü' * 70}.example"]
    for address in poison:
        subscribe(make_contact(address), news)
    if connection.vendor == "sqlite":
        # Longer than the column, which SQLite does not mind.
        subscribe(make_contact(f"{'x' * 308}@example.org"), news)
    send(mailing)
    numbers = progress(mailing)
    assert numbers.failed == len(poison)
    assert numbers.sent == numbers.audience - len(poison)
    assert mailing.state == MailingState.SENT


@pytest.mark.parametrize(
    ("make_unreachable", "reason"),
    [
        (lambda c: suppress(c.email, SuppressionReason.COMPLAINT), SkipReason.SUPPRESSED),
        (
            lambda c: c.subscriptions.update(status=SubscriptionStatus.PENDING),
            SkipReason.UNCONFIRMED,
        ),
        (
            lambda c: c.subscriptions.update(status=SubscriptionStatus.UNSUBSCRIBED),
            SkipReason.UNSUBSCRIBED,
        ),
    ],
)
def test_those_who_get_nothing_are_skipped_with_the_reason(mailing, send, make_unreachable, reason):
    make_unreachable(Contact.objects.get(email="c1@example.org"))
    before = audience.numbers(mailing)
    assert (before.due, before.skipped) == (2, {reason: 1})
    send(mailing)
    after = progress(mailing)
    assert (after.sent, after.skipped_by_reason) == (2, {reason: 1})
    assert after.audience == 3


def test_an_expired_suppression_holds_nobody_back(mailing):
    Suppression.objects.create(
        email="c1@example.org", reason="manual", expires_at=timezone.now() - timedelta(days=1)
    )
    assert audience.numbers(mailing).due == 3


def test_on_two_lists_a_contact_still_gets_one_mail(mailing, news, send):
    other = make_list("Other")
    for contact in Contact.objects.all():
        subscribe(contact, other)
    mailing.recipient_lists.add(other)
    assert len(send(mailing)) == 3


def test_a_second_mailing_of_the_same_email_skips_those_who_have_it(mailing, news, send):
    send(mailing)
    subscribe(make_contact("late@example.org"), news)
    again = make_mailing(mailing.email, news)
    assert audience.numbers(again).skipped == {SkipReason.DUPLICATE: 3}
    send(again)
    assert mail.outbox[-1].to == ["late@example.org"]
    assert len(mail.outbox) == 4


def test_whoever_leaves_between_preparing_and_claiming_gets_nothing(mailing, news):
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=0)
    assert progress(mailing).waiting == 3
    unsubscribe(Contact.objects.get(email="c2@example.org"), [news])
    work_on(mailing, seconds=30)
    assert {message.to[0] for message in mail.outbox} == {"c0@example.org", "c1@example.org"}


def test_consent_withdrawn_before_the_claim_makes_the_copy_anonymous(mailing):
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=0)
    withdraw(Contact.objects.get(email="c0@example.org"), tracking_consent())
    work_on(mailing, seconds=30)
    assert not Delivery.objects.filter(identified=True).exists()
    kinds = {token.kind for message in mail.outbox for token in click_tokens(message)}
    assert kinds == {Kind.CLICK_ANONYMOUS}


def test_the_revision_of_the_start_is_sent_whatever_is_written_later(mailing, send):
    actions.start(mailing)
    changed = mailing.email
    changed.subject = "Changed later"
    changed.save()
    changed.save_revision()
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    assert parsed(mail.outbox[0])["Subject"] == "June news"


def test_an_email_without_content_cannot_be_sent(news):
    subscribe(make_contact(), news)
    mailing = make_mailing(make_email(subject="", body=[]), news)
    with pytest.raises(NotReady) as error:
        actions.start(mailing)
    assert len(error.value.problems) >= 2
    mailing.refresh_from_db()
    assert mailing.state == MailingState.DRAFT


def test_nobody_to_send_to_is_said_before_sending(news):
    with pytest.raises(NotReady, match="Nobody"):
        actions.start(make_mailing(make_email(), news))


def test_pausing_stops_and_resuming_finishes(mailing):
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=0)
    actions.pause(mailing)
    assert not work_on(mailing, seconds=30)
    assert mail.outbox == []
    actions.resume(mailing)
    work_on(mailing, seconds=30)
    assert len(mail.outbox) == 3


def test_cancelling_skips_what_has_not_left(mailing):
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=0)
    actions.cancel(mailing)
    assert progress(mailing).skipped_by_reason == {SkipReason.CANCELLED: 3}
    assert run_due() == []
    assert mail.outbox == []


def test_a_scheduled_mailing_starts_when_its_time_has_come(mailing):
    actions.schedule(mailing, timezone.now() + timedelta(hours=1))
    assert run_due() == []
    mailing.scheduled_at = timezone.now() - timedelta(seconds=1)
    mailing.save()
    (due,) = run_due()
    work_on(due, seconds=30)
    assert len(mail.outbox) == 3


def test_a_schedule_in_the_past_is_refused(mailing):
    with pytest.raises(NotReady):
        actions.schedule(mailing, timezone.now() - timedelta(minutes=1))


def test_cancelling_a_schedule_gives_the_email_back(mailing):
    actions.schedule(mailing, timezone.now() + timedelta(hours=1))
    assert mailing.email.get_lock() is not None
    actions.cancel(mailing)
    assert mailing.state == MailingState.DRAFT
    assert mailing.email.get_lock() is None


def test_a_sent_email_is_locked_for_everybody(mailing, send, admin_user):
    send(mailing)
    lock = mailing.email.get_lock()
    assert lock.for_user(admin_user)
    assert "has been sent" in lock.get_message(admin_user)


def test_publishing_an_old_revision_changes_no_send_state(mailing, send):
    old = mailing.email.latest_revision
    send(mailing)
    before = (mailing.state, mailing.revision_id, progress(mailing))
    old.publish()
    mailing.refresh_from_db()
    assert (mailing.state, mailing.revision_id, progress(mailing)) == before
    assert mailing.email.get_lock() is not None


def test_a_test_send_is_untracked_and_leaves_no_trace(mailing):
    actions.send_test(mailing.email, ["me@example.org"], site=None)
    (message,) = mail.outbox
    html = message.alternatives[0].content
    assert message.subject.startswith("[Test]")
    assert "/email/" not in html
    assert "https://example.com/b" in html
    assert not Delivery.objects.exists()


def test_leases_of_a_dead_worker_are_taken_back(mailing):
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=0)
    first, second, third = Delivery.objects.order_by("pk")
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(pk=first.pk).update(
        state=DeliveryState.HANDING_OVER, lease_owner=1, lease_until=past
    )
    Delivery.objects.filter(pk=second.pk).update(
        state=DeliveryState.CLAIMED, lease_owner=1, lease_until=past
    )
    (mailing,) = run_due()[:1] or [mailing]
    work_on(mailing, seconds=30)
    assert sorted(message.to[0] for message in mail.outbox) == ["c1@example.org", "c2@example.org"]
    numbers = progress(mailing)
    assert (numbers.sent, numbers.uncertain, numbers.audience) == (2, 1, 3)
    mailing.refresh_from_db()
    assert mailing.state == MailingState.SENT
    assert third.pk


def test_the_work_does_not_grow_with_a_query_per_recipient(news, django_assert_max_num_queries):
    for _ in range(60):
        subscribe(make_contact(), news)
    mailing = make_mailing(make_email(), news)
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=0)
    with django_assert_max_num_queries(90):
        work_on(mailing, seconds=30)
    assert len(mail.outbox) == 60


@pytest.fixture
def uncertain(mailing, send):
    send(mailing)
    mailing.deliveries.filter(contact__email="c1@example.org").update(state=DeliveryState.UNCERTAIN)
    return mailing


def test_uncertain_copies_are_repeated_only_when_an_editor_says_so(uncertain):
    assert run_due() == []
    work_on(uncertain, seconds=5)
    assert len(mail.outbox) == 3
    assert actions.send_uncertain_again(uncertain) == 1
    work_on(uncertain, seconds=5)
    assert mail.outbox[-1].to == ["c1@example.org"]
    uncertain.refresh_from_db()
    assert uncertain.state == MailingState.SENT
    assert progress(uncertain).sent == 3


def test_uncertain_copies_can_be_counted_as_sent(uncertain):
    assert actions.count_uncertain_as_sent(uncertain) == 1
    assert (progress(uncertain).sent, progress(uncertain).uncertain) == (3, 0)
    assert len(mail.outbox) == 3


def test_failed_copies_can_be_tried_again(mailing, send):
    send(mailing)
    mailing.deliveries.filter(contact__email="c2@example.org").update(state=DeliveryState.FAILED)
    assert actions.send_failed_again(mailing) == 1
    work_on(mailing, seconds=5)
    assert len(mail.outbox) == 4


def test_the_return_path_names_the_copy(news, send):
    sender = Sender.objects.create(
        name="S", from_email="s@example.org", bounce_address="back@bounces.example.org"
    )
    subscribe(make_contact(), news)
    (message,) = send(make_mailing(make_email(), news, sender=sender))
    local, _, domain = message.envelope_from.partition("@")
    name, _, token = local.partition("+")
    assert (name, domain) == ("back", "bounces.example.org")
    read = tokens.read_caseless(token.upper(), Kind.MESSAGE)
    assert read.values == (Delivery.objects.get().pk,)
    assert len(local) <= 64


def test_backends_that_take_the_message_apart_see_the_same_copy(mailing, send):
    message = send(mailing)[0]
    assert message.subject == "June news"
    assert "{{" not in message.body + message.alternatives[0].content
    assert message.alternatives[0].content.split() == html_of(message).split()
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    copy = tokens.read(message.metadata["copy"], Kind.MESSAGE)
    assert Delivery.objects.get(pk=copy.values[0]).contact.email == message.to[0]


def test_a_mailing_nobody_works_on_is_reported(mailing, capsys):
    call_command("email_insights", "status")
    actions.start(mailing)
    assert stalls() == []
    long_ago = timezone.now() - timedelta(minutes=10)
    Mailing.objects.update(started_at=long_ago)
    (stall,) = stalls()
    assert stall.mailing == mailing
    with pytest.raises(CommandError, match="Is the cluster running"):
        call_command("email_insights", "status")


def test_run_due_does_the_work_without_a_cluster(mailing, capsys):
    actions.start(mailing)
    call_command("email_insights", "run_due")
    assert len(mail.outbox) == 3
    printed = capsys.readouterr().out
    assert "sent 3, failed 0, uncertain 0, skipped 0, waiting 0, audience 3" in printed


def test_run_due_does_what_a_cluster_does_from_time_to_time(db, monkeypatch, caplog):
    done = []

    def broken() -> None:
        done.append("broken")
        raise OSError("away")

    chores = [chore.__name__ for chore in email_insights.CHORES]
    assert chores == ["poll_mailboxes", "send_summaries", "look_for_alerts", "tidy"]
    monkeypatch.setattr(email_insights, "CHORES", (broken, lambda: done.append("next")))
    call_command("email_insights", "run_due")
    assert done == ["broken", "next"]
    assert "broken failed and is tried again" in caplog.text


def test_run_due_keeps_to_the_clock(db, monkeypatch):
    done = []

    def chore() -> None:
        done.append(timezone.now())

    schedule_chore(chore)
    monkeypatch.setattr(email_insights, "CHORES", (chore,))
    call_command("email_insights", "run_due")
    assert not done, "a running cluster comes first"
    schedule_chore(chore, late=timedelta(minutes=2))
    call_command("email_insights", "run_due")
    call_command("email_insights", "run_due")
    assert len(done) == 1


def test_a_chore_that_failed_comes_again_soon(db, monkeypatch, caplog):
    def chore() -> None:
        raise OSError("away")

    schedule_chore(chore, late=timedelta(minutes=2))
    monkeypatch.setattr(email_insights, "CHORES", (chore,))
    call_command("email_insights", "run_due")
    assert "chore failed" in caplog.text
    assert Schedule.objects.get(func=f"{__name__}.chore").next_run <= timezone.now()


def test_a_clock_that_cannot_be_read_keeps_no_chore_from_the_next(db, monkeypatch, caplog):
    done = []
    take_turn = queue.take_turn

    def locked(function: str) -> bool:
        if function.endswith("first"):
            raise OperationalError("database is locked")
        return take_turn(function)

    def first() -> None:
        done.append("first")

    def second() -> None:
        done.append("second")

    monkeypatch.setattr(queue, "take_turn", locked)
    monkeypatch.setattr(email_insights, "CHORES", (first, second))
    call_command("email_insights", "run_due")
    assert done == ["second"]
    assert "database is locked" in caplog.text


def schedule_chore(chore, late: timedelta = timedelta()) -> None:
    function = f"{chore.__module__}.{chore.__name__}"
    queue.ensure_schedule(function, minutes=5)
    Schedule.objects.filter(func=function).update(next_run=timezone.now() - late)


def test_every_task_of_the_clock_is_done_by_run_due_too(db):
    """Whoever adds one must not forget the sites without a cluster."""
    scheduled = set(Schedule.objects.values_list("func", flat=True))
    for_cron = {f"{chore.__module__}.{chore.__name__}" for chore in email_insights.CHORES}
    built_in = {"sending.tasks.reap", "digests.tasks.run_due_digests"}
    assert scheduled == for_cron | {f"wagtail_email_insights.{name}" for name in built_in}


def test_a_mailing_that_cannot_be_prepared_says_why_and_is_tried_again(mailing, monkeypatch):
    actions.start(mailing)
    mailing.refresh_from_db()
    with monkeypatch.context() as patch:
        patch.setattr(batches, "prepare", lambda _mailing: 1 / 0)
        assert not work_on(mailing, seconds=5)
    mailing.refresh_from_db()
    assert mailing.state == MailingState.PREPARING
    assert "ZeroDivisionError" in mailing.state_reason
    Mailing.objects.update(worked_at=None)
    (again,) = run_due()
    work_on(again, seconds=5)
    again.refresh_from_db()
    assert (again.state, again.state_reason) == (MailingState.SENT, "")
