from __future__ import annotations

import pytest
from wagtail.blocks.struct_block import StructBlockValidationError

from tests.factories import make_list
from wagtail_email_insights.segments.blocks import NegationBlock, is_missing
from wagtail_email_insights.segments.conditions import OnList
from wagtail_email_insights.tracking.conditions import ClickedLink


def clicked(**value):
    return {"negate": False, "link_match": "any", "link_value": "", "days": None, **value}


@pytest.mark.parametrize(("shown", "meant"), [("yes", True), ("no", False)])
def test_a_negation_is_stored_as_a_boolean_and_shown_as_words(shown, meant):
    block = NegationBlock("is", "is not")
    assert block.value_for_form(meant) == shown
    assert block.clean(meant) is meant
    assert block.value_from_datadict({"x": shown}, {}, "x") is meant


@pytest.mark.django_db
def test_a_row_is_chosen_by_its_key():
    news = make_list()
    block = OnList.block().child_blocks["recipient_list"]
    assert block.clean(news) == news
    assert block.get_form_state(news) == str(news.pk)
    assert block.get_form_state(None) == ""
    assert is_missing(block.to_python(news.pk + 1))
    assert block.to_python(None) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"link_match": "contains"}, "link_value"),
        ({"days": 0}, "days"),
        ({"days": 3651}, "days"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, field):
    block = ClickedLink.block()
    with pytest.raises(StructBlockValidationError) as refused:
        block.clean(block.to_python(clicked(**changes)))
    assert set(refused.value.block_errors) == {field}


@pytest.mark.django_db
def test_what_makes_sense_is_taken():
    block = ClickedLink.block()
    value = block.clean(block.to_python(clicked(link_match="starts", link_value="https://a")))
    assert value["link_value"] == "https://a"
