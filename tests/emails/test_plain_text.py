from __future__ import annotations

import pytest

from wagtail_email_insights.emails.plain_text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>A</h1><p>One\n two&nbsp;three</p><p>Four</p>", "A\n=\n\nOne two three\n\nFour\n"),
        ("<h2>Title</h2>text", "Title\n-----\n\ntext\n"),
        ('<p>See <a href="https://x.example/a">this page</a>.</p>', "See this page (https://x.example/a).\n"),
        ('<a href="https://x.example/">https://x.example/</a>', "https://x.example/\n"),
        ('<a href="mailto:a@x.example">a@x.example</a>', "a@x.example\n"),
        ('<a href="#top">Top</a>', "Top\n"),
        ('<a href="https://x.example/"><img src="x" alt="A rose"></a>', "[A rose] (https://x.example/)\n"),
        ('<a href="https://x.example/"><img src="x" alt=""></a>', "https://x.example/\n"),
        ("a<ul><li>b</li><li>c<ul><li>d</li></ul></li></ul>e", "a\n\n- b\n- c\n  - d\n\ne\n"),
        ("<ol start=3><li><p>b</p></li><li>c<br>d</li></ol>", "3. b\n4. c\n   d\n"),
        ("a<hr>b", "a\n\n----------------------------------------\n\nb\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\n\nc\n"),
        ("<table><tr><td>a</td><td><p>b</p></td></tr></table>", "a\n\nb\n"),
        ('<a href="https://x.example/" aria-hidden="true"><img alt="x"></a>a', "a\n"),
        ("<head><title>t</title><style>x</style></head>a<script>b</script>", "a\n"),
        ('<div style="display: none">x<p>y<br></p><img alt=z></div>a', "a\n"),
        ("<!--[if mso]>no<![endif]--><!--[if !mso]><!-->yes<!--<![endif]-->", "yes\n"),
        ("1 &lt; 2 &amp; <b>3</b><i>4</i>", "1 < 2 & 34\n"),
        ("", "\n"),
        ("</a></ul></p>x", "x\n"),
    ],
)  # fmt: skip
def test_html_becomes_readable_text(html, text):
    assert plain_text(html) == text
