from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.feedback.messages import CASES, complaints, delivery_reports, free_form
from tests.feedback.messages.building import READER, dsn, failed, mail, recipient_fields
from wagtail_email_insights import tokens
from wagtail_email_insights.feedback.bounces import read_report
from wagtail_email_insights.feedback.messages import MAX_BYTES
from wagtail_email_insights.tokens import Kind

KINDS = {"hard", "soft", "complaint", "auto_reply", "none"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_message_is_read_as_what_it_is(case):
    [report] = read_report(case.raw)
    read = (report.kind, report.category, report.code, report.recipient)
    wanted = (case.kind, case.category, case.code, case.recipient)
    if case.kind == "auto_reply":
        read, wanted = read[:1] + read[3:], wanted[:1] + wanted[3:]
    assert read == wanted
    assert len(report.reason) <= 250


@pytest.mark.parametrize(("status", "diagnostic", "kind"), delivery_reports.MORE_ANSWERS)
def test_only_what_is_permanent_is_called_so(status, diagnostic, kind):
    [report] = read_report(failed(status, diagnostic))
    assert report.kind == kind


def test_the_set_is_large_and_varied():
    assert len({case.raw for case in CASES}) >= 150
    assert min(Counter(case.kind for case in CASES).values()) >= 10


def test_each_recipient_of_a_notification_has_its_report():
    reports = read_report(delivery_reports.TWO_RECIPIENTS)
    assert [(report.recipient, report.kind, report.category) for report in reports] == [
        ("one@mail.example", "hard", "unknown_address"),
        ("two@mail.example", "soft", "mailbox_full"),
        ("three@mail.example", "none", "delivered"),
    ]


def test_each_recipient_of_a_free_form_bounce_has_its_own_words():
    reports = read_report(free_form.TWO_RECIPIENTS)
    assert [(report.recipient, report.kind, report.code) for report in reports] == [
        ("one@mail.example", "hard", "5.1.1"),
        ("two@mail.example", "soft", "5.2.2"),
    ]


def test_a_person_who_says_spam_is_no_complaint():
    assert [report.kind for report in read_report(complaints.PLAIN)] == ["none"]


def test_the_reason_is_the_servers_own_words():
    [report] = read_report(failed("5.1.1", "550 5.1.1 No mailbox for you"))
    assert report.reason == "550 5.1.1 No mailbox for you"


def test_the_message_id_of_the_mail_that_came_back_is_named():
    [report] = read_report(failed("5.1.1", "550 unknown"))
    assert (report.message_id, report.token) == ("<original-1@news.example>", "")


def test_our_token_is_found_in_the_enclosed_mail():
    token = tokens.make(Kind.MESSAGE, 42)
    [report] = read_report(failed("5.1.1", "550").replace(b"original-1", token.encode()))
    assert report.token == token


@pytest.mark.parametrize("change", [str, str.upper], ids=["as_sent", "upper"])
@pytest.mark.parametrize("header", ["To", "Delivered_To", "X_Original_To"])
def test_our_token_is_found_in_the_envelope_sender(header, change):
    token = change(tokens.make_caseless(Kind.MESSAGE, 42))
    [report] = read_report(mail("", **{header: f"<bounce+{token}@news.example>"}))
    assert report.token == token


@pytest.mark.parametrize("header", ["In_Reply_To", "References"])
def test_our_token_is_found_in_an_answer(header):
    token = tokens.make(Kind.MESSAGE, 42)
    raw = mail("Thanks", From=READER, Subject="Re: x", **{header: f"<{token}@news.example>"})
    assert read_report(raw)[0].token == token


def test_a_token_of_another_kind_or_site_is_none():
    other = tokens.make(Kind.UNSUBSCRIBE, 42)
    assert read_report(mail("", In_Reply_To=f"<{other}@news.example>"))[0].token == ""


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3_000))
def test_any_bytes_are_read(raw):
    assert {report.kind for report in read_report(raw)} <= KINDS


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_damaged_messages_are_read(caplog_free, data):
    raw = bytearray(data.draw(st.sampled_from(CASES)).raw)
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), start + data.draw(st.integers(0, 60)))
        raw[start:end] = data.draw(st.binary(max_size=40))
    assert {report.kind for report in read_report(bytes(raw))} <= KINDS
    assert not caplog_free.records


@pytest.fixture(scope="module")
def caplog_free():
    """Collects what the last net logs: a damaged message must not even reach it."""
    import logging

    class Collector(logging.Handler):
        def __init__(self):
            super().__init__()
            self.records = []

        def emit(self, record):
            self.records.append(record)

    collector = Collector()
    logger = logging.getLogger("wagtail_email_insights.feedback.bounces")
    logger.addHandler(collector)
    yield collector
    logger.removeHandler(collector)


def _nested(depth):
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)
    )
    return b"From: mailer-daemon@x.example\n" + head


HOSTILE = {
    "deep": _nested(5_000),
    "many_parts": mail("--=_b1\n\nx\n" * 50_000, Content_Type='multipart/mixed; boundary="=_b1"'),
    "long_line": mail("a" * MAX_BYTES),
    "long_header": b"Subject: " + b"=?utf-8?q?x?= " * 60_000 + b"\n\n",
    "at_signs": mail("@" * 500_000),
    "addresses": mail("a@b.example " * 80_000),
    "brackets": mail("<" * 500_000, Content_Type="text/html"),
    "dots": mail("5." * 400_000),
    "digits": dsn(recipient_fields("5.1.1", "550 " * 100_000)),
    "spaces": mail(" " * 800_000),
    "recipients": dsn(*[recipient_fields("5.1.1", "550 no " * 300)] * 400),
    "message_ids": mail("Message-ID: <" + "a" * 900_000),
    "verp": mail("", To="+" + "a" * 900_000),
    "base64": mail("A" * 900_000, Content_Transfer_Encoding="base64"),
    "blank_lines": mail("\n" * 900_000),
    "quotes": mail("\n>" * 400_000, From=READER),
    "words": mail("mailbox user recipient address is not " * 25_000),
    "charset": mail("x" * 900_000, Content_Type="text/plain; charset=punycode"),
    "nothing": b"",
    "nul": b"\0" * 500_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_megabyte_costs_little_time(name):
    began = time.monotonic()
    assert len(read_report(HOSTILE[name])) <= 100
    assert time.monotonic() - began < 4
