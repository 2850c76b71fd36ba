from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from wagtail_email_insights.spreadsheets import Sheet, csv_lines, neutralised, xlsx

WHEN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+49 30 1234", "-2+3", "@SUM(A1)", " =1+1", "\t=1", "\r1", "\n1", "＝1+1", "＠A1"],
)
def test_what_could_run_as_a_formula_is_text(text):
    assert neutralised(text) == f"'{text}"


@pytest.mark.parametrize("value", [0, -3, -0.5, None, True, WHEN, "", "1-2", "a@b.org", "100 %"])
def test_everything_else_stays_as_it_is(value):
    assert neutralised(value) == value


def test_lazy_words_become_text():
    assert neutralised(gettext_lazy("-Sent")) == "'-Sent"


def test_csv_comes_line_by_line_and_reads_back():
    sheet = Sheet("Names", ["name", "n", "at"], [('Ann, "A"', 1, WHEN), ("=x", None, None)])
    lines = list(csv_lines(sheet))
    assert len(lines) == 3
    assert list(csv.reader(lines)) == [
        ["name", "n", "at"],
        ['Ann, "A"', "1", "2026-03-01T08:30:00+00:00"],
        ["'=x", "", ""],
    ]


@pytest.mark.parametrize("text", ["Ann;=1+1", "Ann; =1+1", "Ann\t=1", "Ann\n=1+1", "x;＠A1"])
def test_a_semicolon_begins_no_formula_where_it_separates_cells(text):
    lines = "".join(csv_lines(Sheet("Names", ["name", "n"], [(text, 1)])))
    cells = [cell for line in lines.splitlines() for cell in line.replace("\t", ";").split(";")]
    assert not [cell for cell in cells if cell.strip(' "').startswith(("=", "＠"))]
    assert next(csv.reader(lines.splitlines(keepends=True)[1:]))[1] == "1"


@pytest.mark.parametrize("text", ["Ann \uffff", "Ann \ufffe", "Ann \ud800", "Ann \x01"])
def test_no_name_makes_a_workbook_unreadable(text):
    page = load_workbook(io.BytesIO(xlsx([Sheet("Names", ["name"], [(text,)])]))).active
    assert page["A2"].value == "Ann "


def test_rows_are_not_gathered_before_the_first_line_goes_out():
    def rows():
        yield ("first",)
        raise AssertionError("asked for too much")

    lines = csv_lines(Sheet("Endless", ["name"], rows()))
    assert [next(lines), next(lines)] == ["name\r\n", "first\r\n"]


def test_a_workbook_holds_numbers_times_and_harmless_text():
    sheet = Sheet("A/B: [test]" * 9, ["=head"], [(0.5,), (WHEN,), ("=1+1",), ("bell\x07",)])
    page = load_workbook(io.BytesIO(xlsx([sheet]))).worksheets[0]
    assert [row[0].value for row in page.rows] == [
        "'=head",
        0.5,
        datetime(2026, 3, 1, 8, 30),
        "'=1+1",
        "bell",
    ]
    assert {row[0].data_type for row in page.rows} == {"s", "n", "d"}
    assert len(page.title) <= 31


@given(st.text())
def test_no_text_begins_like_a_formula(text):
    made = neutralised(text)
    assert not made.lstrip().startswith(("=", "+", "-", "@"))
