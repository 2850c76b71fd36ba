"""Whoever is deleted is forgotten: their address stands nowhere afterwards."""

from __future__ import annotations

import pytest
from django.core import serializers
from django.test import Client
from django.urls import reverse
from wagtail.log_actions import log
from wagtail.models import ModelLogEntry

from tests.factories import make_contact, make_list, make_mailing, subscribe, tracking_wording
from wagtail_email_insights.consents import actions as consent_actions
from wagtail_email_insights.consents.models import ConsentRecord
from wagtail_email_insights.contacts.models import Contact
from wagtail_email_insights.mailings.models import Delivery
from wagtail_email_insights.tracking.models import Event, EventKind

pytestmark = pytest.mark.django_db

ANN = "ann@example.org"


@pytest.fixture
def ann() -> Contact:
    """Somebody whose address a mail server and the log have repeated."""
    contact = make_contact(ANN, first_name="Ann", last_name="Antonova")
    subscribe(contact, make_list())
    consent_actions.agree(contact, tracking_wording())
    mailing = make_mailing()
    answer = f"550 5.1.1 <{ANN}> user unknown"
    delivery = Delivery.objects.create(mailing=mailing, contact=contact, error=answer)
    Event.objects.create(
        kind=EventKind.HARD_BOUNCE,
        contact=contact,
        mailing=mailing,
        copy=delivery.pk,
        value=answer,
    )
    log(contact, "wagtail.edit")
    return contact


def everything_stored() -> str:
    rows = [*Delivery.objects.all(), *Event.objects.all(), *ModelLogEntry.objects.all()]
    return serializers.serialize("json", rows)


def test_nothing_that_outlives_a_contact_holds_the_address(ann):
    bob = make_contact("bob@example.org")
    log(bob, "wagtail.edit")
    assert ANN in everything_stored()
    pk = ann.pk
    ann.delete()
    assert ANN not in everything_stored()
    assert "Antonova" not in everything_stored()
    assert set(ModelLogEntry.objects.values_list("label", flat=True)) == {
        f"contact {pk}",
        "bob@example.org",
    }
    assert Delivery.objects.count() == Event.objects.count() == 1
    assert not ConsentRecord.objects.exists()


def test_deleting_many_at_once_is_no_way_round(ann):
    Contact.objects.all().delete()
    assert ANN not in everything_stored()


def test_the_log_entry_of_the_deletion_itself_names_nobody(ann, admin_user):
    client = Client()
    client.force_login(admin_user)
    client.post(reverse("email_contacts:delete", args=[ann.pk]))
    assert not Contact.objects.exists()
    assert ModelLogEntry.objects.filter(action="wagtail.delete").exists()
    assert ANN not in everything_stored()
