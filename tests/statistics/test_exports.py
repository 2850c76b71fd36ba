from __future__ import annotations

import io

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from tests.statistics.sent import copies_of, happen, make_link, make_sent
from wagtail_email_insights.spreadsheets import csv_lines, xlsx
from wagtail_email_insights.statistics.exports import (
    SHEETS,
    figures_sheet,
    languages_sheet,
    links_sheet,
    overview_sheet,
    sheets_for,
    verdicts_sheet,
)
from wagtail_email_insights.statistics.overview import OverviewFilters, overview
from wagtail_email_insights.tracking.models import MailingTotals

pytestmark = pytest.mark.django_db


def test_figures_are_numbers_with_their_meaning():
    mailing = make_sent("sent", "sent")
    happen(mailing, "hard_bounce", copies_of(mailing)[0])
    happen(mailing, "click", -1)
    rows = {str(row[0]): row for row in figures_sheet([mailing]).rows}
    assert rows["Clicked"][1:6] == (1, 1, "delivered", 1.0, 1)
    assert str(rows["Clicked"][7]).startswith("The most reliable")
    assert rows["Bounced for good"][1:5] == (1, 2, "sent", 0.5)
    assert rows["Bounced for now"][1] == 0


def test_links_and_verdicts_stand_in_words():
    mailing = make_sent("sent")
    happen(mailing, "click", -1, link=make_link(mailing))
    happen(mailing, "click", -2, verdict="machine", verdict_reason="burst")
    assert list(links_sheet([mailing]).rows) == [("https://example.com/", "Link", 1, 1, 1.0)]
    assert "Several links at once" in {str(row[0]) for row in verdicts_sheet([mailing]).rows}


def test_a_workbook_has_all_tables():
    mailing = make_sent("sent")
    happen(mailing, "click", -1, link=make_link(mailing))
    book = load_workbook(io.BytesIO(xlsx(sheets_for([mailing]))))
    assert len(book.sheetnames) == len(SHEETS)
    assert book["Links"]["A2"].value == "https://example.com/"
    assert sum(row[2] for row in book["Over time"].iter_rows(min_row=2, values_only=True)) == 1


def test_without_its_events_a_part_tells_only_who_got_it():
    mailing = make_sent("known", "sent")
    happen(mailing, "click", copies_of(mailing)[0])
    [row] = languages_sheet([mailing]).rows
    assert row[1:] == (2, 1, 1, 1)
    MailingTotals.objects.update_or_create(
        mailing=mailing, defaults={"events_removed_at": timezone.now()}
    )
    [row] = languages_sheet([mailing]).rows
    assert row[1:] == (2, 1, None, None)


def test_the_overview_ends_with_the_sums():
    mailing = make_sent("sent", "sent")
    mailing.email.title = "=cmd|'/c calc'!A0"
    mailing.email.save()
    happen(mailing, "click", -1)
    happen(make_sent("sent", "sent"), "download", -1)
    sheet = overview_sheet(overview(OverviewFilters.last_days(7)))
    *rows, together = sheet.rows
    column = [str(cell) for cell in sheet.header].index("Clicked")
    assert sorted(row[column] for row in rows) == [0, 1]
    assert together[column : column + 2] == (1, 0.25)
    assert {len(row) for row in sheet.rows} == {len(sheet.header)}
    assert any(line.startswith("'=cmd") for line in csv_lines(sheet))
