from __future__ import annotations

import pytest
from django.core import mail
from django.utils import timezone

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.consents.actions import withdraw
from wagtail_email_insights.consents.queries import tracking_consent
from wagtail_email_insights.contacts.actions import unsubscribe
from wagtail_email_insights.mailings import audience
from wagtail_email_insights.mailings.models import Mailing, MailingState, SkipReason
from wagtail_email_insights.sending import actions, experiments, resends
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.sending.transitions import NotPossible
from wagtail_email_insights.tracking.models import Event, EventKind, MailingTotals, Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def news():
    return make_list("News")


def sent(mailing: Mailing) -> Mailing:
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    mailing.refresh_from_db()
    return mailing


@pytest.fixture
def original(news):
    """Sent to ann, ben and cleo, who may be known, and dan, who may not."""
    for name in ("ann", "ben", "cleo", "dan"):
        subscribe(make_contact(f"{name}@example.org", agrees=name != "dan"), news)
    mailing = sent(make_mailing(make_email(), news))
    mail.outbox.clear()
    return mailing


def click(mailing: Mailing, name: str, verdict: Verdict = Verdict.HUMAN) -> None:
    delivery = mailing.deliveries.get(contact__email=f"{name}@example.org")
    Event.objects.create(
        kind=EventKind.CLICK,
        mailing=mailing,
        contact=delivery.contact,
        copy=delivery.pk,
        verdict=verdict,
    )


def names() -> list[str]:
    return sorted(message.to[0].partition("@")[0] for message in mail.outbox)


def test_the_numbers_add_up(original):
    click(original, "ann")
    click(original, "ben", Verdict.MACHINE)
    numbers = resends.numbers(original)
    assert numbers == resends.ResendNumbers(sent=4, unknown=1, clicked=1, silent=2)


def test_only_those_known_not_to_have_clicked_get_it(original):
    click(original, "ann")
    sent(resends.draft_resend(original, subject="June news"))
    assert names() == ["ben", "cleo"]


def test_whoever_left_or_clicked_meanwhile_gets_nothing(original, news):
    resend = resends.draft_resend(original, subject="June news")
    click(original, "ann")
    ben = original.deliveries.get(contact__email="ben@example.org").contact
    unsubscribe(ben, [news])
    withdraw(
        original.deliveries.get(contact__email="cleo@example.org").contact,
        tracking_consent(),
        source="test",
    )
    assert audience.numbers(resend).skipped == {SkipReason.UNSUBSCRIBED: 1}
    with pytest.raises(actions.NotReady):
        actions.start(resend)


def test_audience_and_sender_are_those_of_the_original(original, news):
    resend = resends.draft_resend(original, subject="June news")
    assert list(resend.recipient_lists.all()) == [news]
    assert (resend.email, resend.site, resend.sender) == (original.email, None, None)
    assert not resend.variants.exists()


def test_the_subject_can_be_another(original):
    resend = resends.draft_resend(original, subject="Did you see this?")
    sent(resend)
    assert {message.subject for message in mail.outbox} == {"Did you see this?"}
    assert resend.state == MailingState.SENT
    assert original.email.subject == "June news"


def test_a_draft_is_used_again_and_its_subject_changed(original):
    first = resends.draft_resend(original, subject="One")
    second = resends.draft_resend(original, subject="June news")
    assert first == second
    assert not second.variants.exists()


def test_nobody_gets_a_second_resend(original):
    sent(resends.draft_resend(original, subject="Again"))
    again = resends.draft_resend(original, subject="And again")
    assert audience.numbers(again).due == 0
    assert audience.numbers(again).skipped == {SkipReason.DUPLICATE: 3}


def test_where_clicks_were_deleted_nothing_is_resent(original):
    """Else whoever clicked would get it again."""
    begun = resends.draft_resend(original, subject="Again")
    MailingTotals.objects.update_or_create(
        mailing=original, defaults={"events_removed_at": timezone.now()}
    )
    assert audience.numbers(begun).due == 0
    assert not resends.can_be_resent(original)
    with pytest.raises(NotPossible):
        resends.draft_resend(original, subject="Again")


def test_a_resend_is_not_resent(original):
    resend = sent(resends.draft_resend(original, subject="Again"))
    assert not resends.can_be_resent(resend)
    with pytest.raises(NotPossible):
        resends.draft_resend(resend, subject="Once more")


def test_a_resend_under_way_stays_as_it_is(original):
    resend = resends.draft_resend(original, subject="Again")
    actions.start(resend)
    with pytest.raises(NotPossible):
        resends.draft_resend(original, subject="Changed")


def test_a_mailing_that_is_not_sent_cannot_be_resent(news):
    with pytest.raises(NotPossible):
        resends.draft_resend(make_mailing(make_email(), news), subject="x")


def test_after_a_test_it_is_the_winner_that_is_resent(original):
    other = make_email("Other", body=[("rich_text", "<p>The winner's words</p>")])
    experiments.set_variants(original, [("", None), ("Winning subject", other)])
    Mailing.objects.filter(pk=original.pk).update(winner=2)
    original.refresh_from_db()
    assert resends.subject_for(original) == "Winning subject"
    sent(resends.draft_resend(original, subject="Winning subject"))
    assert all("The winner's words" in message.body for message in mail.outbox)
    assert {message.subject for message in mail.outbox} == {"Winning subject"}
