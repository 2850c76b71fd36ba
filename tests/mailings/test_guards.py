from __future__ import annotations

import pytest
from django.db import transaction
from django.db.models import ProtectedError
from django.urls import reverse

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings import audience
from wagtail_email_insights.mailings.actions import erase
from wagtail_email_insights.mailings.models import Mailing, MailingState
from wagtail_email_insights.segments.models import Segment
from wagtail_email_insights.site_settings.models import Sender

pytestmark = pytest.mark.django_db
UNDER_WAY = [MailingState.SCHEDULED, MailingState.SENDING, MailingState.PAUSED]


@pytest.fixture
def mailing():
    news = make_list("News")
    subscribe(make_contact(), news)
    sender = Sender.objects.create(name="S", from_email="s@example.org")
    mailing = make_mailing(make_email(), news, sender=sender)
    mailing.segments.add(Segment.objects.create(name="In"))
    mailing.excluded_segments.add(Segment.objects.create(name="Out"))
    return mailing


def used_by(mailing):
    return [
        mailing.recipient_lists.get(),
        mailing.segments.get(),
        mailing.excluded_segments.get(),
        mailing.sender,
    ]


@pytest.mark.parametrize("state", UNDER_WAY)
def test_what_a_mailing_under_way_uses_stays(mailing, state):
    Mailing.objects.update(state=state)
    for thing in used_by(mailing):
        with pytest.raises(ProtectedError, match="in use"), transaction.atomic():
            thing.delete()


def test_what_only_a_draft_uses_may_go(mailing):
    for thing in used_by(mailing):
        thing.delete()
    assert Mailing.objects.filter(pk=mailing.pk).exists()


def test_a_mailing_whose_lists_are_gone_goes_to_nobody():
    news, other = make_list("News"), make_list("Other")
    for recipient_list in (news, other):
        subscribe(make_contact(), recipient_list)
    mailing = make_mailing(make_email(), news)
    news.delete()
    assert audience.numbers(mailing).total == 0


@pytest.mark.parametrize("state", [*UNDER_WAY, MailingState.SENT])
def test_an_email_that_was_mailed_cannot_be_deleted(mailing, state):
    Mailing.objects.update(state=state)
    with pytest.raises(ProtectedError), transaction.atomic():
        mailing.email.delete()
    assert Email.objects.filter(pk=mailing.email_id).exists()


def test_an_email_with_a_draft_mailing_can(mailing):
    mailing.email.delete()
    assert not Mailing.objects.exists()


def test_the_screens_say_why_instead_of_failing(admin_client, mailing):
    Mailing.objects.update(state=MailingState.SENDING)
    recipient_list, segment, _excluded, sender = used_by(mailing)
    for name, thing in (
        ("email_lists", recipient_list),
        ("email_segments", segment),
        ("email_senders", sender),
    ):
        page = admin_client.post(reverse(f"{name}:delete", args=[thing.pk]), follow=True)
        assert "is in use by" in page.content.decode()
    url = reverse(Email.snippet_viewset.get_url_name("delete"), args=[mailing.email_id])
    page = admin_client.post(url, follow=True)
    assert "cannot be deleted" in page.content.decode()
    bulk = reverse("wagtail_bulk_action", args=["wagtail_email_insights", "email", "delete"])
    page = admin_client.post(f"{bulk}?id={mailing.email_id}", follow=True)
    assert "cannot be deleted" in page.content.decode()
    assert Email.objects.filter(pk=mailing.email_id).exists()


def test_erasing_a_mailing_on_purpose_works(mailing):
    Mailing.objects.update(state=MailingState.SENT)
    erase(mailing)
    assert not Mailing.objects.exists()
    assert Email.objects.filter(pk=mailing.email_id).exists()
