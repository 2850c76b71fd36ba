from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_email_insights import tokens
from wagtail_email_insights.tokens import Kind, TokenError

values = st.lists(st.integers(0, tokens.MAX_VALUE), max_size=4)


@given(st.sampled_from(Kind), values)
def test_what_was_made_is_read_back(kind, numbers):
    assert tokens.read(tokens.make(kind, *numbers)) == (kind, tuple(numbers))


@given(st.text(max_size=200))
def test_foreign_text_is_no_token(text):
    with pytest.raises(TokenError):
        tokens.read(text)


@given(st.data())
def test_any_changed_character_is_noticed(data):
    text = tokens.make(Kind.CLICK, 123, 456789)
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda c: c != text[position]))
    with pytest.raises(TokenError):
        tokens.read(text[:position] + other + text[position + 1 :])


@given(st.integers(1, 23))
def test_a_truncated_token_is_refused(length):
    with pytest.raises(TokenError):
        tokens.read(tokens.make(Kind.CLICK, 1_000_000, 100_000_000)[:length])


def test_a_token_of_another_kind_is_refused():
    with pytest.raises(TokenError, match="UNSUBSCRIBE"):
        tokens.read(tokens.make(Kind.UNSUBSCRIBE, 7), Kind.CLICK, Kind.CLICK_ANONYMOUS)


def test_a_token_of_another_site_is_refused(settings):
    text = tokens.make(Kind.CLICK, 1, 2)
    settings.SECRET_KEY = "another site"
    with pytest.raises(TokenError):
        tokens.read(text)


def test_links_survive_a_rotated_key(settings):
    text = tokens.make(Kind.CLICK, 1, 2)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the new one"
    assert tokens.read(text).values == (1, 2)


def test_click_tokens_are_short():
    assert len(tokens.make(Kind.CLICK_ANONYMOUS, 10**7, 2**63 - 1)) < 40


@pytest.mark.parametrize("value", [-1, 2**64])
def test_values_beyond_64_bits_are_refused(value):
    with pytest.raises(ValueError, match="64-bit"):
        tokens.make(Kind.CLICK, value)
