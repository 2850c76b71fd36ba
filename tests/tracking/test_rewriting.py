from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_email_insights.tracking.rewriting import Target, rewrite_links, rewrite_targets

DOCUMENTS = Path(__file__).parent / "documents"
NAMES = sorted(
    path.stem for path in DOCUMENTS.glob("*.html") if not path.stem.endswith(".expected")
)


def read(name: str) -> str:
    return (DOCUMENTS / name).read_bytes().decode()


def show(url: str, index: int) -> str:
    return f"[{index}:{url}]"


def keep(url: str, index: int) -> str:
    return url


@pytest.mark.parametrize("name", NAMES)
def test_nasty_document(name):
    assert rewrite_links(read(f"{name}.html"), show) == read(f"{name}.expected.html")


@pytest.mark.parametrize("name", NAMES)
def test_nasty_document_is_untouched_when_nothing_is_replaced(name):
    assert rewrite_links(read(f"{name}.html"), keep) == read(f"{name}.html")


def test_there_are_enough_nasty_documents():
    assert len(NAMES) >= 12


def test_empty_answer_in_an_unquoted_attribute_keeps_the_next_one_apart():
    html = "<a href=https://a.example/ class=x>"
    assert rewrite_links(html, lambda url, index: "") == '<a href="" class=x>'


MARKUP = st.sampled_from(
    [
        "<a ",
        "<A/",
        "</a",
        "<area ",
        "<v:rect ",
        "href",
        "HREF",
        "=",
        '"',
        "'",
        ">",
        "/>",
        "<",
        "<!--",
        "-->",
        "--!>",
        "<!--[if mso]>",
        "<![endif]-->",
        "<![if !mso]>",
        "<style>",
        "</style>",
        "<script>",
        "</script",
        "<title>",
        "</title>",
        "<plaintext>",
        "<![CDATA[",
        "https://x.example/",
        "http://",
        "&amp;",
        "&#38;",
        "&copy",
        "{{",
        " ",
        "\n",
        "\r\n",
        "\0",
        " data-do-not-track",
        "mailto:",
        "#",
        "😀",
    ]
)
HOSTILE = st.lists(MARKUP | st.text(max_size=4), max_size=40).map("".join)


@given(st.text() | HOSTILE)
def test_nothing_changes_when_every_destination_is_kept(html):
    assert rewrite_links(html, keep) == html


@given(HOSTILE)
def test_no_byte_outside_destinations_changes(html):
    """What is put in can be taken out again, whatever surrounds it."""
    raw = []
    mark = "https://mark.example/q"

    def replace(url: str, index: int) -> str:
        raw.append(url)
        return mark

    pieces = rewrite_links(html, replace).split(mark)
    position = 0
    for piece in pieces if raw else []:
        position = html.find(piece.strip("\"'"), position)
        assert position >= 0
        position += len(piece.strip("\"'"))


@given(HOSTILE)
def test_rewriting_twice_finds_the_same_number_of_links(html):
    seen: list[int] = []

    def first(url: str, index: int) -> str:
        seen.append(index)
        return f"https://first.example/{index}"

    def second(url: str, index: int) -> str:
        assert url == f"https://first.example/{index}"
        seen.remove(index)
        return url

    rewrite_links(rewrite_links(html, first), second)
    assert seen == []


URLS = st.from_regex(
    r"https?://[a-z]{1,8}\.example/[a-zA-Z0-9?&=;#%é日😀\"'<> ]{0,12}[a-z]", fullmatch=True
)
FILLERS = st.sampled_from(
    [
        "<p>text",
        "</p>\r\n",
        "<!-- <a href='https://no.example/'> -->",
        "<br/>",
        "&nbsp;",
        "<style>a{}</style>",
        "<img alt='>' src=x>",
        "{{ first_name }}",
        "\0",
        "<![if !mso]>",
        "<![endif]>",
        '<a href="mailto:x@y.example">m</a>',
        "1 < 2",
    ]
)
OPENINGS = st.sampled_from(
    [
        '<a href="{}">',
        '<A class=x HREF = " {} ">',
        '<area title=">" href="{}"/>',
        '<!--[if mso]><v:roundrect href="{}"></v:roundrect><![endif]-->',
        '<!--[if !mso]><!--><a href="{}">x</a><!--<![endif]-->',
    ]
)


def escaped(url: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        url = url.replace(character, entity)
    return url


@given(st.lists(st.tuples(FILLERS, OPENINGS, URLS), max_size=8))
def test_known_links_are_found_in_order_and_can_be_put_back(parts):
    html = "".join(filler + opening.format(escaped(url)) for filler, opening, url in parts)
    urls = [url for _filler, _opening, url in parts]
    found: list[str] = []

    def token(url: str, index: int) -> str:
        found.append(url)
        return f"https://t.example/{index}"

    rewritten = rewrite_links(html, token)
    expected = "".join(
        filler + opening.format(f"https://t.example/{index}")
        for index, (filler, opening, _url) in enumerate(parts)
    )
    assert found == urls
    assert rewritten == expected
    assert rewrite_links(rewritten, lambda url, index: urls[index]) == html


@pytest.mark.parametrize(
    "piece",
    [
        "<a ",
        "<a",
        "<",
        "<!--",
        "<!-- --",
        "<!--[if",
        "<!--[if mso]>",
        "<![",
        "<a href=",
        "<a '",
        '<a href="',
        "=",
        "<a =",
        "<a \n",
        "</a ",
        "<style>",
        "</style",
        "<script></script ",
        "<?",
        "&",
        "<a href=https://x.example/>",
        "<a href='&#",
        "<a href=&a",
        "<v:",
        "\r\n ",
        '<a href="https://x.example/?{{ a }}">',
        "<!--[if mso]><!--",
        "<!--[if mso]><style>",
    ],
)
def test_a_hostile_megabyte_takes_linear_time(piece):
    small, large = (piece * (size // len(piece)) for size in (100_000, 1_000_000))
    started = time.process_time()
    rewrite_links(small, keep)
    middle = time.process_time()
    assert rewrite_links(large, keep) == large
    seconds = time.process_time() - middle
    assert seconds < max(0.5, 30 * (middle - started))


@pytest.mark.parametrize(
    "url", ["https://[", "https://[::1/a", "https://a.example/" + "x" * 20_000, "http:// ", "/a"]
)
def test_what_no_reader_can_be_sent_to_is_no_link(url):
    html = f'<a href="{url}">Read</a>'
    assert rewrite_links(html, lambda url, index: "https://t.example/") == html


def test_a_long_address_that_can_be_redirected_to_is_a_link():
    html = f'<a href="https://a.example/{"x" * 1500}">Read</a>'
    assert rewrite_links(html, lambda url, index: "t") == '<a href="t">Read</a>'


@pytest.mark.parametrize(
    ("attributes", "target"),
    [
        ("", (None, None)),
        ('data-attachment="7"', (7, None)),
        ('DATA-ATTACHMENT=7 data-attachment-days="30"', (7, 30)),
        ('data-attachment-days="30"', (None, None)),
        ('data-attachment="7" data-attachment-days="soon"', (7, None)),
        ('data-attachment=""', (None, None)),
        ('data-attachment="-7"', (None, None)),
        ('data-attachment="0"', (None, None)),
        ('data-attachment="٧"', (None, None)),
        (f'data-attachment="{"9" * 19}"', (None, None)),
    ],
)
def test_a_link_says_which_document_it_attaches(attributes, target):
    found = []

    def take(target, index):
        found.append(target)
        return target.url

    html = f'<a href="https://example.com/a.pdf" {attributes}>x</a>'
    assert rewrite_targets(html, take) == html
    assert found == [Target("https://example.com/a.pdf", *target)]
