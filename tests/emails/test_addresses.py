from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from wagtail_email_insights.emails import merge_tags
from wagtail_email_insights.emails.addresses import (
    is_safe,
    unsettled,
    without_unsafe,
    without_unsettled,
)
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.emails.rendering import preview_response, render_email
from wagtail_email_insights.emails.validation import problems_with

UNSUBSCRIBE = "{{ unsubscribe_url }}"
HARMFUL = ("javascript:", "data:")
BECOMES_A_SCRIPT = [
    "{{ x|default:'javascript:alert(1)' }}",
    "{{ first_name|default:'javascript:alert(1)' }}",
    "java{{ name|default:'script:alert(1)' }}",
    "javascript{{ name|default:':alert(1)' }}",
    "&#106;avascript:{{ name }}",
    " {{ name|default:'data:text/html,x' }}",
    "{{ email }}",
    "{{ name|default:'javascript:alert(1)//\" title=\"' }}",
]


def email(*body) -> Email:
    return Email(title="x", subject="News", body=list(body))


SAFE = (
    *("", "#top", "/roses/", "roses?a=b:c", "//x.example/", "?back=javascript:x", "./a:b"),
    *("HTTPS://x.example/", " https://x.example/ ", "mailto:a@x.org", "tel:+49", "cid:rose"),
)
UNSAFE = (
    *("javascript:x", "JavaScript:x", "java\tscript:x", "\x01javascript:x", "  javascript:x"),
    *("data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x"),
)


@pytest.mark.parametrize("address", SAFE)
def test_addresses_of_the_web_of_mail_and_of_phones_are_safe(address):
    assert is_safe(address)


@pytest.mark.parametrize("address", UNSAFE)
def test_every_other_scheme_is_not(address):
    assert not is_safe(address)


def test_unsafe_addresses_are_emptied_and_nothing_else():
    html = "<a href='javascript:x' title='javascript:y'>a</a><img src=data:x><a href=/b>b</a>"
    assert without_unsafe(html) == (
        "<a href='' title='javascript:y'>a</a><img src=\"\"><a href=/b>b</a>"
    )


@pytest.mark.parametrize("written", BECOMES_A_SCRIPT)
def test_a_tag_may_not_decide_where_a_link_leads(written):
    html = f'<a href="{written}">x</a>'
    assert unsettled(html)
    assert without_unsettled(html) == '<a href="">x</a>'


@pytest.mark.parametrize(
    "written",
    [
        "https://x.example/?for={{ email }}",
        "mailto:{{ email }}",
        "/for/{{ name|default:'javascript:x' }}",
        "?next={{ name|default:'https://x.example/' }}",
        "#{{ name }}",
    ],
)
def test_a_tag_may_stand_where_the_scheme_is_settled(written):
    html = f'<a href="{written}">x</a>'
    assert unsettled(html) == []
    assert without_unsettled(html) == html


def test_the_address_for_unsubscribing_stays():
    html = f'<a href="{UNSUBSCRIBE}">x</a>'
    assert without_unsettled(html, keep=[UNSUBSCRIBE]) == html
    assert without_unsettled(html) == '<a href="">x</a>'


@pytest.mark.parametrize("written", BECOMES_A_SCRIPT)
@pytest.mark.parametrize("block", ["rich_text", "raw_html"])
def test_no_script_reaches_a_copy_or_a_preview(site, block, written):
    quoted = written.replace("'", "&#39;")
    body = email((block, f"<p><a href='{quoted}'>read</a></p>"))
    sent = render_email(body, site=site, unsubscribe_url=UNSUBSCRIBE).html
    assert unsettled(sent) == [UNSUBSCRIBE]
    for html in (merge_tags.fill(sent, {}, escape=True), preview(body)):
        links = BeautifulSoup(html, "html.parser").find_all("a", href=True)
        assert not [link for link in links if link["href"].strip().startswith(HARMFUL)]


def preview(written: Email) -> str:
    return preview_response(written, RequestFactory().get("/")).content.decode()


def test_a_preview_forbids_whatever_could_run(site):
    policy = preview_response(email(), RequestFactory().get("/"))["Content-Security-Policy"]
    assert "script-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy


@pytest.mark.django_db
@pytest.mark.parametrize("block", ["rich_text", "raw_html"])
def test_an_editor_is_told_what_cannot_be_a_link(block):
    link = """<p><a href="{{ name|default:'javascript:alert(1)' }}">read</a></p>"""
    [sentence] = problems_with(email((block, link)))
    assert "javascript:alert(1)" in sentence
    assert "cannot be a link" in sentence
    fine = '<p>{{ name }} <a href="https://x.example/?for={{ email }}">read</a></p>'
    assert problems_with(email((block, fine))) == []


@given(st.text(alphabet="javscript:{}|d='\" &#<>/\t\n", max_size=60))
def test_after_filling_in_no_scheme_appears_that_was_not_there(text):
    html = without_unsafe(without_unsettled(f'<a href="{text}">x</a>'))
    for values in ({}, {"name": "javascript:x"}):
        filled = merge_tags.fill(html, values, escape=True)
        assert without_unsafe(filled) == filled
