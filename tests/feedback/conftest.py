from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from tests.factories import make_contact, make_mailing
from wagtail_email_insights.mailings.models import Delivery, DeliveryState


@pytest.fixture
def make_delivery() -> Callable[..., Delivery]:
    """``make_delivery("ann@mail.example")`` is a copy that left for a new contact."""

    def make(email: str = "ann@mail.example", *, contact=None, **fields) -> Delivery:
        fields.setdefault("state", DeliveryState.SENT)
        fields.setdefault("settled_at", timezone.now())
        return Delivery.objects.create(
            mailing=make_mailing(), contact=contact or make_contact(email), **fields
        )

    return make


@pytest.fixture
def delivery(make_delivery) -> Delivery:
    return make_delivery()
