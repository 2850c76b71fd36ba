from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from wagtail.blocks import ListBlock, StreamBlock, StructBlock

from wagtail_email_insights.admin.email_forms import EmailForm
from wagtail_email_insights.emails.blocks import SafeHTMLBlock, default_blocks
from wagtail_email_insights.emails.nesting import every_block

RAW = "<b>raw</b>"
BODY = StreamBlock(
    [
        *default_blocks(),
        ("embed", SafeHTMLBlock()),
        ("columns", StreamBlock([("raw_html", SafeHTMLBlock())])),
        ("card", StructBlock([("below", SafeHTMLBlock(required=False))])),
        ("rows", ListBlock(StructBlock([("cell", StreamBlock([("html", SafeHTMLBlock())]))]))),
    ]
)


def body(*children: tuple[str, object]):
    return BODY.to_python([{"type": name, "value": value} for name, value in children])


HIDING_PLACES = [
    ("raw_html", RAW),
    ("embed", RAW),
    ("columns", [{"type": "raw_html", "value": RAW}]),
    ("card", {"below": RAW}),
    ("rows", [{"cell": [{"type": "html", "value": RAW}]}]),
]


def clean(after, before, *, permitted: bool = False):
    user = SimpleNamespace(has_perm=lambda _permission: permitted)
    form = SimpleNamespace(cleaned_data={"body": after}, for_user=user, initial_body=before)
    return EmailForm.clean_body(form)


@pytest.mark.parametrize("place", HIDING_PLACES, ids=lambda place: place[0])
def test_raw_html_needs_its_permission_wherever_it_hides(place):
    written = body(place)
    with pytest.raises(ValidationError):
        clean(written, body())
    assert clean(written, body(), permitted=True) == written


@pytest.mark.parametrize("place", HIDING_PLACES, ids=lambda place: place[0])
def test_raw_html_that_stood_there_may_stay_and_move(place):
    kept = body(("heading", {"text": "New", "size": "h1"}), place)
    assert clean(kept, body(place)) == kept


def test_every_block_is_found_once_however_deep():
    found = [type(block).__name__ for block, _value in every_block(body(*HIDING_PLACES))]
    assert found.count("SafeHTMLBlock") == len(HIDING_PLACES)


def test_nothing_stands_below_an_empty_body():
    assert list(every_block(None)) == []
    assert list(every_block(body())) == []
