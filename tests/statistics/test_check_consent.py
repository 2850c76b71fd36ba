"""The tracking check: whether people still agree."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_contact, tracking_wording
from wagtail_email_insights.consents.models import ConsentAction, ConsentRecord
from wagtail_email_insights.statistics import checks_of_consent
from wagtail_email_insights.statistics.tracking_check import Result, State
from wagtail_email_insights.tracking.models import Event, EventKind

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _agreed(settings):
    """Somebody agreed a month ago; three subscriptions without a consent say something."""
    settings.WAGTAIL_EMAIL_INSIGHTS = {"ranking_floor": 3}
    version = tracking_wording()
    ConsentRecord.objects.create(
        contact=make_contact(),
        consent=version.consent,
        version=version,
        action=ConsentAction.AGREE,
        at=timezone.now() - 30 * DAY,
    )


def confirm(times: int, *, ago: timedelta) -> Result:
    for _number in range(times):
        Event.objects.create(kind=EventKind.CONFIRM, at=timezone.now() - ago)
    return checks_of_consent.check_agreements(None)


def test_an_old_agreement_is_fine_while_hardly_anybody_subscribes():
    assert confirm(2, ago=DAY).state == State.OK


def test_a_form_that_no_longer_asks_shows_by_those_who_came_since():
    result = confirm(3, ago=DAY)
    assert result.state == State.ATTENTION
    assert result.meaning == (
        "The last agreement came in 4\xa0weeks, 2\xa0days ago. "
        "Since then at least 3 subscriptions were confirmed without one."
    )
    assert "form" in result.remedy


def test_who_came_before_the_last_agreement_says_nothing():
    assert confirm(9, ago=40 * DAY).state == State.OK
