from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_email_insights.emails.merge_tags import MergeTag, fill, parse, problems

ADA = {"first_name": "Ada", "last_name": "<Love> & lace", "email": "ada@example.org"}


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("{{ first_name }}", MergeTag("first_name")),
        ("{{first_name}}", MergeTag("first_name")),
        ('{{ first_name|default:"there" }}', MergeTag("first_name", "there")),
        ("{{ first_name | default : 'there' }}", MergeTag("first_name", "there")),
        ("{{ first_name|default:&quot;it&#x27;s you&quot; }}", MergeTag("first_name", "it's you")),
        ("{{&nbsp;first_name\u00a0}}", MergeTag("first_name")),
        ('{{ first_name|default:"" }}', MergeTag("first_name")),
    ],
)
def test_a_tag_is_read(text, tag):
    assert parse(f"Dear {text}!") == ["Dear ", tag, "!"]
    assert problems(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "{{ }}",
        "{{ first name }}",
        "{{ first_name|upper }}",
        "{{ first_name|default:there }}",
        "{{ <b>first_name</b> }}",
        "{{ first_name",
        "{{ first_name }",
        "{{ " + "x" * 400 + " }}",
    ],
)
def test_what_cannot_be_read_stays_text_and_is_reported(text):
    assert parse(text) == [text]
    assert len(problems(text)) == 1
    assert "cannot be read" in problems(text)[0]


def test_an_unknown_name_is_reported_with_the_known_ones():
    [sentence] = problems("{{ shoe_size }} {{ shoe_size }}")
    assert "{{ shoe_size }}" in sentence
    assert "first_name, last_name, name, email" in sentence


def test_the_inner_braces_count():
    assert parse("{{ {{ name }}") == ["{{ ", MergeTag("name")]
    assert parse("{{{ name }}}") == ["{", MergeTag("name"), "}"]
    assert problems("{{{ name }}}") == []


def test_text_without_tags_is_one_piece():
    assert parse("no } tag { here }}") == ["no } tag { here }}"]
    assert parse("") == []


def test_values_are_escaped_in_html_only():
    text = "{{ first_name }} {{ last_name }}"
    assert fill(text, ADA, escape=False) == "Ada <Love> & lace"
    assert fill(text, ADA, escape=True) == "Ada &lt;Love&gt; &amp; lace"


def test_the_default_stands_in_for_missing_and_empty_values():
    text = "Hello {{ first_name|default:&quot;R&amp;D&quot; }}"
    assert fill(text, {}, escape=False) == "Hello R&D"
    assert fill(text, {"first_name": " "}, escape=True) == "Hello R&amp;D"
    assert fill("{{ name }}", {"name": None}, escape=False) == ""


def test_a_value_never_brings_a_line_break_into_a_header():
    values = {"name": "Ada\r\nBcc: x@example.org"}
    assert fill("Hi {{ name }}", values, escape=False) == "Hi Ada Bcc: x@example.org"


def test_a_value_that_looks_like_a_tag_is_not_read_again():
    assert fill("{{ name }}", {"name": "{{ email }}"}, escape=False) == "{{ email }}"


@given(st.text(alphabet="{}|:\"' aname\n&;", max_size=80))
def test_pieces_of_text_stand_in_the_text(text):
    position = 0
    for piece in parse(text):
        if isinstance(piece, str):
            position = text.index(piece, position) + len(piece)


@pytest.mark.parametrize(
    "piece", ["{{", "{", "}}", "{{ a", "{{ name }}", '{{ name|default:"', "{{ }"]
)
def test_hostile_text_takes_linear_time(piece):
    started = time.process_time()
    text = piece * (1_000_000 // len(piece))
    parse(text)
    problems(text)
    assert time.process_time() - started < 8
