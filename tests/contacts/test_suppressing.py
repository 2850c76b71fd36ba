"""One address, one suppression: what stands when a second reason comes on top."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_contact
from wagtail_email_insights.contacts import actions
from wagtail_email_insights.contacts.models import Suppression, SuppressionReason

pytestmark = pytest.mark.django_db

ANN = "ann@example.org"
SOFT = SuppressionReason.SOFT_BOUNCES
HARD = SuppressionReason.HARD_BOUNCE
ALL = SuppressionReason.UNSUBSCRIBED_ALL
MANUAL = SuppressionReason.MANUAL
COMPLAINT = SuppressionReason.COMPLAINT


def standing() -> tuple[str, object]:
    suppression = Suppression.objects.get()
    return suppression.reason, suppression.expires_at


@pytest.fixture
def soon():
    return timezone.now() + timedelta(days=3)


@pytest.fixture
def yesterday():
    return timezone.now() - timedelta(days=1)


def test_every_reason_has_its_strength():
    assert set(actions.STRENGTH) == set(SuppressionReason)


def test_leaving_everything_holds_for_ever_after_soft_bounces(soon):
    actions.suppress(ANN, SOFT, expires_at=soon)
    actions.unsubscribe_from_all(make_contact(ANN))
    assert standing() == (ALL, None)


def test_leaving_everything_holds_for_ever_after_a_block_that_ran_out(yesterday):
    Suppression.objects.create(email=ANN, reason=MANUAL, expires_at=yesterday)
    actions.unsubscribe_from_all(make_contact(ANN))
    assert standing() == (ALL, None)
    assert Suppression.objects.active().exists()


def test_leaving_everything_holds_for_ever_under_a_stronger_reason_that_would_end(soon):
    actions.suppress(ANN, MANUAL, expires_at=soon)
    actions.unsubscribe_from_all(make_contact(ANN))
    assert standing() == (MANUAL, None)


@pytest.mark.parametrize(
    ("before", "then", "stands"),
    [(SOFT, HARD, HARD), (HARD, ALL, ALL), (ALL, HARD, ALL), (ALL, COMPLAINT, COMPLAINT)],
)
def test_the_stronger_reason_stands(before, then, stands):
    assert actions.suppress(ANN, before)
    assert actions.suppress(ANN, then) is (stands == then)
    assert standing() == (stands, None)


def test_a_reason_that_ends_does_not_shorten_one_that_does_not(soon):
    actions.suppress(ANN, HARD)
    assert actions.suppress(ANN, MANUAL, expires_at=soon)
    assert standing() == (MANUAL, None)


def test_the_same_again_changes_nothing():
    assert actions.suppress(ANN, MANUAL, note="first")
    assert not actions.suppress(ANN, MANUAL, note="second")
    assert Suppression.objects.get().note == "first"


def test_a_long_note_is_cut_to_its_column():
    actions.suppress(ANN, MANUAL, note="x" * 300)
    assert len(Suppression.objects.get().note) == 250
