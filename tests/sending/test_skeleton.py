from __future__ import annotations

import email
import smtplib
from email import policy

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from wagtail_email_insights.mailings.models import MailingContent
from wagtail_email_insights.sending.compiling import Compiled, Copy
from wagtail_email_insights.tracking.models import TrackedLink

COPY = Copy(7, "reader@example.org", "Ann", "Lee", True, 7)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300).map(
    lambda text: text.replace("{", "(")
)


def compiled(text: str = "", html: str = "", **fields) -> Compiled:
    content = MailingContent(
        mailing_id=3,
        subject="News",
        text=text,
        html=html,
        from_email="Zoë <news@example.org>",
        base_url="https://example.org/some/path/",
        anonymous_counting="per_copy",
    )
    for name, value in fields.items():
        setattr(content, name, value)
    links = [TrackedLink(pk=41, position=0, url="https://example.com/a?b=1&c=2")]
    return Compiled(content, links)


def wire_of(text: str = "", html: str = "", copy: Copy = COPY, **fields) -> bytes:
    return compiled(text, html, **fields).message(copy, now=timezone.now()).wire


def bodies(text: str = "", html: str = "", copy: Copy = COPY, **fields) -> tuple[str, str]:
    message = compiled(text, html, **fields).message(copy, now=timezone.now())
    parsed = email.message_from_bytes(message.raw, policy=policy.default)
    plain, rich = (part.get_content() for part in parsed.iter_parts())
    return plain, rich


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(texts, texts)
def test_whatever_is_written_arrives(text, html):
    plain, rich = bodies(text, html)
    assert lines(plain).rstrip("\n") == lines(text).rstrip("\n")
    assert lines(rich).rstrip("\n") == lines(html).rstrip("\n")


@given(texts, st.sampled_from([".", "..", ".\r\n", "x\r\n.\r\ny", " .", "a" * 80 + ".", "\r\n.."]))
def test_dots_are_doubled_as_the_standard_library_would(text, dots):
    wire = wire_of(dots + text + dots, dots + "{{ first_name }}" + dots + text)
    raw = compiled().message(COPY, now=timezone.now())
    raw.wire = wire
    assert wire == smtplib._quote_periods(raw.raw) + b".\r\n"
    assert wire.count(b"\r\n.\r\n") == 1


@given(texts)
def test_lines_are_short_and_plain_ascii(text):
    made = compiled(text + "{{ link_0 }}{{ first_name }}" + text, text)
    raw = made.message(COPY, now=timezone.now()).raw
    assert raw.isascii()
    _head, _, body = raw.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert not [line for line in body.split(b"\r\n") if line.endswith((b" ", b"\t"))]


@pytest.mark.parametrize("name", [".", "..dots", " ", "=", "x" * 500, "Zoë 🎉", "<b>&"])
def test_a_name_arrives_whatever_it_is(name):
    copy = Copy(7, "reader@example.org", name, "", True, 7)
    tag = "[{{ first_name|default:'you' }}]"
    plain, _rich = bodies(tag, tag, copy)
    assert plain.strip() == f"[{name.strip() or 'you'}]"


def test_links_differ_only_in_their_token():
    link = '<a href="{{ link_0 }}">x</a>'
    one, other = (
        bodies(html=link, copy=Copy(n, "r@example.org", "", "", True, n))[1] for n in (1, 2)
    )
    assert one != other
    assert one.startswith('<a href="https://example.org/some/path/email/c/')


def test_without_counting_links_are_the_editors_own_and_escaped():
    copy = Copy(7, "reader@example.org", "", "", False, 5)
    plain, rich = bodies(
        "{{ link_0 }}", "{{ link_0 }}{{ open_pixel }}", copy, anonymous_counting="off"
    )
    assert plain.strip() == "https://example.com/a?b=1&c=2"
    assert rich.strip() == "https://example.com/a?b=1&amp;c=2"
