from __future__ import annotations

import pytest

from tests.factories import make_contact
from wagtail_email_insights.consents.models import AppendOnlyError, ConsentRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def record():
    return make_contact(agrees=True).consent_records.get()


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.save(),
        lambda record: record.delete(),
        lambda record: ConsentRecord.objects.update(source="forged"),
        lambda record: ConsentRecord.objects.all().delete(),
    ],
    ids=["save", "delete", "update", "delete many"],
)
def test_records_are_only_ever_added(record, change):
    with pytest.raises(AppendOnlyError):
        change(record)
    assert ConsentRecord.objects.get() == record


def test_records_go_with_their_contact(record):
    record.contact.delete()
    assert not ConsentRecord.objects.exists()
