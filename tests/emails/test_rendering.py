from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from django.test import RequestFactory

from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.emails.rendering import make_absolute, preview_response, render_email
from wagtail_email_insights.site_settings.models import EmailSettings
from wagtail_email_insights.tracking.rewriting import rewrite_links

UNSUBSCRIBE = "https://www.example.org/email/u/token"


def render(site, *body, unsubscribe_url=UNSUBSCRIBE, **fields):
    email = Email(title="June", subject="News", body=list(body), **fields)
    return render_email(email, site=site, unsubscribe_url=unsubscribe_url)


def soup(rendered) -> BeautifulSoup:
    return BeautifulSoup(rendered.html, "html.parser")


@pytest.fixture
def all_blocks(page, image):
    return [
        ("heading", {"text": 'Hello {{ first_name|default:"there" }}', "size": "h1"}),
        ("rich_text", f'<p>Read <a linktype="page" id="{page.pk}">this</a> &amp; that.</p>'),
        ("image", {"image": image, "alt": "A red rose", "url": "https://example.com/rose"}),
        ("button", {"text": "Buy", "url": "https://example.com/buy?a=1&b=2"}),
        ("page_teaser", {"page": page, "image": image}),
        ("divider", None),
        ("raw_html", "<p onclick='x()'>By <i>hand</i><script>x()</script></p>"),
    ]  # fmt: skip


def test_every_block_is_in_the_mail(site, email_settings, all_blocks):
    rendered = render(site, *all_blocks, preheader="What is new")
    document = soup(rendered)
    assert document.h1.get_text() == 'Hello {{ first_name|default:"there" }}'
    assert [link["href"] for link in document.find_all("a")] == [
        "https://www.example.org/roses/",
        "https://example.com/rose",
        "https://example.com/buy?a=1&b=2",
        *["https://www.example.org/roses/"] * 3,
        UNSUBSCRIBE,
        "#",
    ]
    assert "All about roses." in rendered.html
    assert "By <i>hand</i>" in rendered.html
    assert "<script" not in rendered.html
    assert "onclick" not in rendered.html


def test_pictures_are_absolute_twice_as_dense_and_described(site, all_blocks):
    pictures = soup(render(site, *all_blocks)).find_all("img")
    assert [(image["width"], image["alt"]) for image in pictures] == [
        ("600", "A red rose"),
        ("536", ""),
    ]
    for image in pictures:
        assert image["src"].startswith("https://www.example.org/media/images/")
        assert "width-1200" in image["src"]


def test_a_small_picture_is_not_stretched(site, make_image):
    picture = soup(render(site, ("image", {"image": make_image(300)}))).img
    assert picture["width"] == "300"
    assert "max-width: 300px" in picture["style"]


def test_merge_tags_survive_byte_for_byte(site):
    tag = '{{ first_name|default:"there" }}'
    stored = "{{ first_name|default:&quot;there&quot; }}"
    rendered = render(
        site,
        ("rich_text", f'<p>Hi {stored} <a href="https://x.example/?e={{{{ email }}}}">x</a></p>'),
        ("raw_html", f"<p>Raw {tag}</p>"),
        ("button", {"text": f"For {tag}", "url": "https://x.example/"}),
    )
    assert f'Hi {stored} <a href="https://x.example/?e={{{{ email }}}}"' in rendered.html
    assert f"Raw {tag}" in rendered.html
    assert rendered.html.count(f"For {stored}") == 2
    assert f"Hi {tag} x (https://x.example/?e={{{{ email }}}})" in rendered.text
    assert f"For {tag} (https://x.example/)" in rendered.text


def test_outlook_gets_its_own_button_inside_an_untouched_condition(site):
    html = render(site, ("button", {"text": "Buy", "url": "https://x.example/?a=1&b=2"})).html
    [vml] = re.findall(r"<!--\[if mso\]><v:roundrect.*?<!\[endif\]-->", html, re.DOTALL)
    assert 'href="https://x.example/?a=1&amp;b=2"' in vml
    assert "<w:anchorlock/>" in vml
    assert "<!--[if !mso]><!--><a " in html
    assert "</a><!--<![endif]-->" in html


def test_conditions_open_and_close_equally_often(site, all_blocks):
    html = render(site, *all_blocks).html
    assert html.count("<!--[if") == html.count("<![endif]-->")


def test_both_buttons_are_tracked_or_neither(site):
    block = {"text": "Buy", "url": "https://x.example/"}
    for value, count in ((block, 2), (block | {"do_not_track": True}, 0)):
        found = []
        rewrite_links(
            render(site, ("button", value)).html,
            lambda url, index, found=found: found.append(url) or url,
        )
        assert found == ["https://x.example/"] * count


def test_the_unsubscribe_link_is_never_tracked(site):
    html = render(site, ("heading", {"text": "x", "size": "h2"})).html
    assert rewrite_links(html, lambda url, index: "changed") == html
    assert UNSUBSCRIBE in html


@pytest.mark.parametrize("marker", ["#", "@@unsubscribe@@", "{{ unsubscribe_url }}", "wei:7"])
def test_the_unsubscribe_address_may_be_any_marker(site, marker):
    rendered = render(site, ("divider", None), unsubscribe_url=marker)
    assert f'href="{marker}"' in rendered.html
    assert marker == "#" or f"Unsubscribe or change what we may see ({marker})" in rendered.text


@pytest.mark.parametrize("marker", ["#", "{{ web_version_url }}", "https://x.example/w/token"])
def test_the_way_to_the_browser_is_in_both_parts_and_never_tracked(site, marker):
    email = Email(title="June", subject="News", body=[("divider", None)])
    rendered = render_email(email, site=site, unsubscribe_url="#", web_version_url=marker)
    assert rewrite_links(rendered.html, lambda url, index: "changed") == rendered.html
    [link] = [a for a in soup(rendered).find_all("a") if a.get_text() == "View in your browser"]
    assert link["href"] == marker
    assert marker == "#" or f"View in your browser ({marker})" in rendered.text


def test_styles_are_inlined_and_media_queries_stay(site):
    html = render(site, ("heading", {"text": "x", "size": "h1"})).html
    assert re.search(r'<h1 style="[^"]*font-size: 30px', html)
    assert "@media (prefers-color-scheme: dark)" in html
    assert ".masthead {" not in html.split("@media")[0]


def test_nothing_is_loaded_from_elsewhere(site, email_settings, all_blocks):
    document = soup(render(site, *all_blocks))
    assert not document.find_all(["link", "script", "iframe"])
    assert all("www.example.org" in image["src"] for image in document.find_all("img"))


def test_the_preheader_is_hidden_and_not_in_the_text_part(site):
    rendered = render(site, ("divider", None), preheader="Only <here>")
    assert "Only &lt;here&gt;" in rendered.html
    assert "Only" not in rendered.text


def test_the_text_part_reads_well(site, email_settings, page):
    rendered = render(
        site,
        ("heading", {"text": "Roses", "size": "h1"}),
        ("rich_text", "<p>They are out.</p><ul><li>Red</li><li>White</li></ul>"),
        ("button", {"text": "Visit", "page": page}),
        ("page_teaser", {"page": page, "title": "Thorns", "link_text": "More"}),
    )
    assert rendered.text == (
        "Garden News\n\n"
        "Roses\n=====\n\n"
        "They are out.\n\n- Red\n- White\n\n"
        "Visit (https://www.example.org/roses/)\n\n"
        "Thorns (https://www.example.org/roses/)\n"
        "---------------------------------------\n\n"
        "All about roses.\n\n"
        "More (https://www.example.org/roses/)\n\n"
        "Garden News\n\n"
        "1 Rose Lane\nKew\n\n"
        "You get this e-mail because you subscribed. "
        f"Unsubscribe or change what we may see ({UNSUBSCRIBE})\n\n"
        "View in your browser\n"
    )


def test_the_footer_names_sender_and_address(site, email_settings):
    document = soup(render(site))
    assert "Garden News" in document.get_text()
    assert "1 Rose Lane" in document.get_text()


def test_links_follow_the_base_address_of_the_settings(site, page):
    EmailSettings.objects.update_or_create(site=site, defaults={"base_url": "https://n.example"})
    html = render(site, ("button", {"text": "x", "page": page})).html
    assert html.count('href="https://n.example/roses/"') == 2


def test_what_was_deleted_leaves_no_hole(site):
    html = render(
        site,
        ("page_teaser", {"page": None}),
        ("image", {"image": None}),
        ("button", {"text": "Nowhere"}),
    ).html
    assert "Nowhere" not in html
    assert "<img" not in html


def test_text_of_editors_is_escaped(site):
    rendered = render(
        site,
        ("heading", {"text": "<script>1</script>", "size": "h2"}),
        ("button", {"text": "--><script>2</script>", "url": "https://x.example/?--><b>"}),
    )
    assert "<script" not in rendered.html
    assert not soup(rendered).find_all("b")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('<a href="/x?a=1&amp;b=2">', '<a href="https://b.example/x?a=1&amp;b=2">'),
        ("<a href=x>", "<a href=https://b.example/x>"),
        ('<td background="/t.png">', '<td background="https://b.example/t.png">'),
        ("<img src='/i' href='/h'>", "<img src='https://b.example/i' href='https://b.example/h'>"),
        ('<!--[if x]><v:rect href="/v">', '<!--[if x]><v:rect href="https://b.example/v">'),
        ('<a href="//c.example/x">', '<a href="https://c.example/x">'),
    ],
)
def test_addresses_become_absolute(given, expected):
    assert make_absolute(given, "https://b.example") == expected


@pytest.mark.parametrize(
    "address", ["#x", "", "mailto:a@b.example", "{{ u }}", "//[", "?x={{ u }}"]
)
def test_addresses_that_are_no_relative_ones_stay(address):
    html = f'<a href="{address}">'
    assert make_absolute(html, "https://b.example") == html


@pytest.mark.django_db
def test_an_empty_unsaved_email_can_be_previewed(rf: RequestFactory):
    response = preview_response(Email(), rf.get("/"))
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/html")


def test_the_preview_shows_sample_values(rf, site):
    email = Email(subject="x", body=[("heading", {"text": "Hi {{ first_name }}", "size": "h2"})])
    content = preview_response(email, rf.get("/")).content.decode()
    assert "Hi Ada" in content
    assert 'href="#"' in content


def test_wagtail_can_preview_a_draft(site):
    email = Email(subject="x", body=[("heading", {"text": "Drafted", "size": "h2"})])
    assert b"Drafted" in email.make_preview_request().content
