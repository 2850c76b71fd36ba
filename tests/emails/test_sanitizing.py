from __future__ import annotations

import pytest

from wagtail_email_insights.emails.sanitizing import sanitize_fragment


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<style>p { color: red }</style>b", "ab"),
        ("a<ScRiPt>alert(1)", "a"),
        ("<a href='javascript:x()'>a</a>", "<a>a</a>"),
        ("<a href='&#106;avascript:x()'>a</a>", "<a>a</a>"),
        ("<img src='data:image/png;base64,AA' onerror=x>", "<img>"),
        ("<iframe src='https://x.example'></iframe>a", "a"),
        ("<form><input name=q>a</form>", "a"),
        ("a<!-- b --><!--[if mso]>c<![endif]-->d", "ad"),
        ("<p style='color: red; position: fixed'>a</p>", '<p style="color: red;">a</p>'),
        ("<p style='background: url(https://x.example/p)'>a</p>", '<p style="">a</p>'),
        ("<svg><a xlink:href='javascript:x()'>a</a></svg>", "<a>a</a>"),
    ],
)
def test_what_could_do_harm_goes(given, expected):
    assert sanitize_fragment(given) == expected


@pytest.mark.parametrize(
    "html",
    [
        '<a data-do-not-track="" href="https://x.example/?a=1&amp;b=2">a</a>',
        '<a href="mailto:a@x.example">a</a> <a href="tel:+1">b</a>',
        '<table align="center" cellpadding="0" width="100%"><tbody><tr><td bgcolor="#fff" '
        'valign="top">a</td></tr></tbody></table>',
        '<img alt="Rose" height="10" src="https://x.example/r.png" width="20">',
        "<h2>a</h2><ul><li>b</li></ul><p><b>c</b><br></p>",
        'Hi {{ first_name|default:"there" }}!',
        '<a href="https://x.example/?e={{ email }}">a</a>',
    ],
)
def test_what_mail_needs_stays_as_it_was(html):
    assert sanitize_fragment(html) == html


def test_cleaning_twice_changes_nothing_more():
    once = sanitize_fragment("<p>1 < 2 & 3</p><b>open<x>y")
    assert sanitize_fragment(once) == once


def shout(html: str) -> str:
    return html.upper()


def test_a_host_may_bring_its_own_sanitizer(settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"sanitizer": f"{__name__}.shout"}
    assert sanitize_fragment("a") == "A"
