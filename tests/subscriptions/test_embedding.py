from __future__ import annotations

import pytest
from django.template import engines
from django.test import RequestFactory

from tests import factories
from wagtail_email_insights.subscriptions.blocks import SubscribeFormBlock, list_choices

from .helpers import url

pytestmark = pytest.mark.django_db

SOURCE = '{% load email_insights %}{% email_subscribe_form "news" %}'
BLOCK_SOURCE = "{% load wagtailcore_tags %}{% include_block value %}"


def render(source, **context):
    return engines["django"].from_string(source).render(context, RequestFactory().get("/about/"))


@pytest.fixture
def news():
    return factories.make_list("News", slug="news")


@pytest.mark.usefixtures("news")
def test_tag_shows_the_form_with_everything_it_needs():
    html = render(SOURCE)
    assert f'action="{url("subscribe", "news")}"' in html
    assert html.count('name="csrfmiddlewaretoken"') == 1
    assert 'name="started"' in html
    assert 'name="wording"' in html
    assert "public.css" in html


@pytest.mark.usefixtures("news")
def test_form_may_stand_twice_on_a_page():
    first, second = render(SOURCE), render(SOURCE)
    assert first.split('for="')[1].split('"')[0] != second.split('for="')[1].split('"')[0]


def test_tag_shows_nothing_for_a_list_that_is_gone(caplog):
    assert render(SOURCE).strip() == ""
    assert "no recipient list 'news'" in caplog.text


@pytest.mark.usefixtures("news")
def test_tag_without_a_request_shows_the_form_all_the_same():
    html = engines["django"].from_string(SOURCE).render({})
    assert "csrfmiddlewaretoken" not in html
    assert 'name="email"' in html


@pytest.mark.usefixtures("news")
def test_block_shows_heading_text_and_form():
    block = SubscribeFormBlock()
    value = block.to_python({"recipient_list": "news", "heading": "Stay <near>", "text": "Monthly"})
    html = render(BLOCK_SOURCE, value=value)
    assert "<h2>Stay &lt;near&gt;</h2>" in html
    assert "<p>Monthly</p>" in html
    assert 'name="csrfmiddlewaretoken"' in html


def test_block_offers_the_lists_by_code(news):
    assert list_choices() == [("news", "News")]
    block = SubscribeFormBlock()
    assert block.clean(block.to_python({"recipient_list": "news"}))["recipient_list"] == "news"


def test_defining_the_block_asks_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        SubscribeFormBlock()
