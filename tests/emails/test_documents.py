from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from tests.factories import make_document, make_email
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.emails.rendering import render_email
from wagtail_email_insights.emails.validation import problems_with


@pytest.fixture
def document(site, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    return make_document("report.pdf", b"x" * 2048)


def render(site, **value):
    email = Email(title="June", subject="News", body=[("attachment", value)])
    return render_email(email, site=site, unsubscribe_url="#")


def test_a_reader_sees_name_type_and_size(site, document):
    rendered = render(site, document=document, text="All the figures")
    words = BeautifulSoup(rendered.html, "html.parser").find("table", "card").get_text(" ")
    for part in ("report.pdf", "PDF · 2.0", "KB", "All the figures"):
        assert part in words.replace("\xa0", " ")
    assert "available" not in words


def test_it_goes_by_its_title(site, document):
    document.title = "What we did <in> June"
    link = BeautifulSoup(render(site, document=document).html, "html.parser").find("a", "file-link")
    assert link.get_text() == "What we did <in> June"
    assert "What we did <in> June (https://" in render(site, document=document).text


def test_it_leads_to_the_document_until_it_is_sent(site, document):
    link = BeautifulSoup(render(site, document=document).html, "html.parser").find("a")
    assert link["href"] == f"https://www.example.org{document.url}"
    assert link["data-attachment"] == str(document.pk)
    assert not link.has_attr("data-attachment-days")


def test_how_long_it_can_be_fetched_is_said(site, document):
    html = render(site, document=document, days=1).html
    assert "available for 1 day<" in html
    html = render(site, document=document, days=30).html
    assert "available for 30 days" in html
    assert 'data-attachment-days="30"' in html


def test_numbers_for_programs_are_not_written_for_people(site, document, settings):
    settings.USE_THOUSAND_SEPARATOR = True
    html = render(site, document=make_document(pk=12345), days=1500).html
    assert 'data-attachment="12345"' in html
    assert 'data-attachment-days="1500"' in html


def test_the_text_part_has_it_too(site, document):
    text = render(site, document=document, text="All the figures", days=7).text
    assert f"report.pdf (https://www.example.org{document.url})" in text
    assert "available for 7 days" in text
    assert "All the figures" in text
    assert text.count("PDF") == 1


def test_the_type_in_large_letters_is_not_read_out_twice(site, document):
    badge = BeautifulSoup(render(site, document=document).html, "html.parser").find(string="PDF")
    assert badge.find_parent("td")["aria-hidden"] == "true"


def test_a_file_without_an_ending_or_a_size_leaves_no_hole(site, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    nameless = make_document("README")
    nameless.file_size = None
    nameless.file.storage.delete(nameless.file.name)
    document = BeautifulSoup(render(site, document=nameless).html, "html.parser")
    assert document.find("a").get_text() == "README"
    assert document.find("td", "file-cell") is None
    assert document.find("div", "file-facts").get_text(strip=True) == ""


@pytest.mark.django_db
def test_a_deleted_document_keeps_the_mail_from_going_out(document):
    email = make_email(body=[("attachment", {"document": document})])
    assert problems_with(email) == []
    document.delete()
    [problem] = problems_with(Email.objects.get(pk=email.pk))
    assert "missing or was deleted" in problem


def test_a_deleted_document_leaves_no_hole(site):
    assert "<a" not in render(site, document=None).html.split('class="footer')[0]


def test_only_the_block_makes_an_attachment(site, document):
    """Raw HTML cannot lead to a document by its number."""
    body = [("raw_html", f'<a href="https://x.example/" data-attachment="{document.pk}">x</a>')]
    email = Email(title="June", subject="News", body=body)
    assert "data-attachment" not in render_email(email, site=site, unsubscribe_url="#").html
