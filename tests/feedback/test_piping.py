from __future__ import annotations

import io

import pytest
from django.db import OperationalError

from tests.feedback.messages.building import READER, failed, mail
from wagtail_email_insights.feedback import piping
from wagtail_email_insights.feedback.piping import take_in_from
from wagtail_email_insights.tracking.models import Event

pytestmark = pytest.mark.django_db


def test_a_bounce_from_the_pipe_counts(delivery):
    assert take_in_from(io.BytesIO(failed("5.1.1", "550 5.1.1 unknown"))) == 0
    assert Event.objects.get().contact == delivery.contact


@pytest.mark.parametrize("raw", [b"", b"\x00\xff" * 100, mail("Buy!", From=READER)])
def test_junk_is_no_error_so_that_it_is_not_bounced(raw):
    assert take_in_from(io.BytesIO(raw)) == 0


@pytest.mark.parametrize(("error", "code"), [(OperationalError, 75), (RuntimeError, 0)])
def test_only_a_missing_database_asks_to_try_again(monkeypatch, error, code):
    def fail(_raw):
        raise error

    monkeypatch.setattr(piping, "handle", fail)
    assert take_in_from(io.BytesIO(b"x")) == code


def test_the_pipe_is_read_to_its_end(monkeypatch):
    monkeypatch.setattr(piping, "MAX_BYTES", 1_000)
    stream = io.BytesIO(b"x" * 500_000)
    assert take_in_from(stream) == 0
    assert stream.read() == b""
