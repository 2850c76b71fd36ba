from __future__ import annotations

import pytest
from django.core import mail

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.sending import actions
from wagtail_email_insights.sending.batches import work_on


@pytest.fixture
def news(db):
    return make_list("News")


@pytest.fixture
def mailing(news):
    """A draft mailing to three contacts, the first of whom agreed to tracking."""
    for number in range(3):
        contact = make_contact(f"c{number}@example.org", agrees=number == 0)
        subscribe(contact, news)
    return make_mailing(make_email(), news)


@pytest.fixture
def send():
    """Start a mailing and work on it until nothing is due; returns the mails."""

    def run(mailing):
        actions.start(mailing)
        mailing.refresh_from_db()
        work_on(mailing, seconds=30)
        mailing.refresh_from_db()
        return mail.outbox

    return run
