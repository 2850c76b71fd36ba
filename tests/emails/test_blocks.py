from __future__ import annotations

import pytest
from wagtail.blocks import CharBlock, StreamBlock
from wagtail.models import Page

from wagtail_email_insights.emails.blocks import body_blocks, default_blocks

STREAM = StreamBlock(default_blocks())


def block(name: str):
    return STREAM.child_blocks[name]


def value(name: str, **fields):
    return block(name).normalize(fields)


def host_blocks():
    return [*default_blocks(), ("poll", CharBlock())]


def test_a_host_may_bring_its_own_blocks(settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"body_blocks": f"{__name__}.host_blocks"}
    assert [name for name, _block in body_blocks()][-1] == "poll"


@pytest.mark.parametrize("name", [name for name, _block in default_blocks()])
def test_every_block_explains_itself(name):
    meta = block(name).meta
    assert meta.label
    assert meta.icon
    assert meta.description
    assert meta.group


@pytest.mark.parametrize("name", ["heading", "rich_text", "button", "divider", "raw_html"])
def test_a_block_can_be_previewed(name):
    from django.template.loader import render_to_string

    previewed = block(name)
    assert previewed.is_previewable
    shown = previewed.get_preview_value()
    context = {"bound_block": previewed.bind(shown)}
    assert "<style" in render_to_string(previewed.get_preview_template(shown), context)


def test_raw_html_is_kept_as_written_and_shown_safely():
    written = "<p onclick='x()'>a</p>"
    assert block("raw_html").get_prep_value(written) == written
    assert block("raw_html").render(written) == "<p>a</p>"


def test_a_button_prefers_its_page(page):
    assert value("button", text="x", page=page, url="https://x.example/").href == "/roses/"
    assert value("button", text="x", url="https://x.example/").href == "https://x.example/"
    assert value("button", text="x").href == ""


def test_a_teaser_takes_the_page_s_words_unless_given_others(page):
    teaser = value("page_teaser", page=page)
    assert (teaser.heading, teaser.summary) == ("Roses & thorns", "All about roses.")
    teaser = value("page_teaser", page=page, title="Other", text="Words")
    assert (teaser.heading, teaser.summary) == ("Other", "Words")


def test_a_teaser_falls_back_on_an_introduction(page):
    page.search_description = ""
    page.intro = "<p>From the <b>intro</b></p>"
    assert value("page_teaser", page=page).summary == "From the intro"


def test_a_teaser_of_an_unpublished_or_unrouted_page_leads_nowhere(page):
    page.live = False
    assert value("page_teaser", page=page).href == ""
    assert value("page_teaser", page=Page(title="x", path="0009")).href == ""
