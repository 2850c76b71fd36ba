from __future__ import annotations

import pytest
from wagtail.blocks import CharBlock, StreamBlock
from wagtail.models import PageViewRestriction

from wagtail_email_insights.emails.blocks import default_blocks
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.emails.validation import problems_with

HEADING = ("heading", {"text": "Hello", "size": "h1"})


def email(*body, subject="News", preheader="") -> Email:
    return Email(title="x", subject=subject, preheader=preheader, body=list(body))


def test_a_finished_email_has_no_problems(page):
    assert problems_with(email(HEADING, ("button", {"text": "Go", "page": page}))) == []


def test_an_empty_email_lacks_subject_and_content():
    assert problems_with(Email()) == ["The subject is empty.", "The e-mail has no content."]


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        (("button", {"text": "Buy"}), "The button “Buy” leads nowhere."),
        (("image", {"image": None}), "A picture is missing or was deleted."),
        (("page_teaser", {"page": None}), "The page of a teaser is missing or was deleted."),
    ],
)
def test_an_unfinished_block_is_named(block, sentence):
    assert problems_with(email(HEADING, block)) == [sentence]


def test_an_unpublished_page_is_named(page):
    page.live = False
    page.save()
    assert problems_with(email(("page_teaser", {"page": page}))) == [
        "The page “Roses & thorns” is not published."
    ]


@pytest.mark.parametrize("restricted", ["the page", "its parent"])
def test_a_page_that_is_not_for_everybody_is_named(page, restricted):
    behind = page if restricted == "the page" else page.get_parent()
    PageViewRestriction.objects.create(page=behind, restriction_type="password", password="x")
    assert problems_with(email(("page_teaser", {"page": page}))) == [
        "The page “Roses & thorns” is not for everybody: it needs a password or a log-in."
    ]


def test_a_block_inside_another_is_asked_too(settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"body_blocks": f"{__name__}.nested_blocks"}
    stream = StreamBlock(nested_blocks())
    written = Email(title="x", subject="News")
    body = [{"type": "columns", "value": [{"type": "button", "value": {"text": "Buy"}}]}]
    written.__dict__["body"] = stream.to_python(body)
    assert problems_with(written) == ["The button “Buy” leads nowhere."]


@pytest.mark.parametrize(
    "written",
    [
        email(HEADING, subject="Hi {{ nobody }}"),
        email(HEADING, preheader="Hi {{ nobody }}"),
        email(("heading", {"text": "Hi {{ nobody }}", "size": "h1"})),
        email(("rich_text", "<p>Hi {{ nobody }}</p>")),
        email(("raw_html", "<p>Hi {{ nobody }}</p>")),
    ],
)
def test_a_wrong_merge_tag_is_found_wherever_it_stands(written):
    [sentence] = problems_with(written)
    assert "{{ nobody }}" in sentence


def test_a_block_of_a_host_need_not_know_about_problems(settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"body_blocks": f"{__name__}.host_blocks"}
    assert problems_with(email(HEADING)) == []


def host_blocks():
    return [*default_blocks(), ("poll", CharBlock())]


def nested_blocks():
    return [*default_blocks(), ("columns", StreamBlock(default_blocks()))]
