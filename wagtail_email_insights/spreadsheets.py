"""Tables as files that spreadsheet programs open, and that do nothing when they are opened."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import IO, Any

from django.utils import timezone
from django.utils.encoding import force_str

Cell = Any
"""Text (also lazy), a number, a date or None."""

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"

LONGEST_SHEET_NAME = 31

# A cell that begins with one of these may run as a formula, whatever quotes are around it; full-
# width forms and leading space included. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
# Where the list separator is a semicolon, Excel begins a new cell at each, inside quotes too; and
# then at each end of a line as well.
_FORMULA_INSIDE = re.compile(r"([;\t\r\n])(?=\s*[=+\-@＝＋－＠])")
# What XML 1.0 cannot hold.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_SHEET_NAMES = re.compile(r"[\\/*?:\[\]]")


@dataclass(frozen=True)
class Sheet:
    """One table with its heading."""

    name: str
    header: Sequence[Cell]
    rows: Iterable[Sequence[Cell]]


def neutralised(value: Cell) -> Cell:
    """Return *value* so that no spreadsheet program takes it for a formula.

    Text that could be one gets an apostrophe in front; numbers, dates and None stay as they are.
    """
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    text = _CONTROLS.sub("", force_str(value))
    return f"'{text}" if _FORMULA.match(text) else text


def csv_lines(sheet: Sheet) -> Iterator[str]:
    """Return the table as CSV, line by line: memory does not grow with it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield _line(writer, buffer, sheet.header)
    for row in sheet.rows:
        yield _line(writer, buffer, row)


def xlsx(sheets: Iterable[Sheet]) -> bytes:
    """Return the tables as one workbook; times are in the current time zone."""
    file = io.BytesIO()
    save_xlsx(sheets, file)
    return file.getvalue()


def save_xlsx(sheets: Iterable[Sheet], file: IO[bytes]) -> None:
    """Write what ``xlsx`` returns into *file*: memory does not grow with the tables."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(_NOT_IN_SHEET_NAMES.sub(" ", sheet.name)[:LONGEST_SHEET_NAME])
        for row in chain([sheet.header], sheet.rows):
            page.append([_without_zone(neutralised(cell)) for cell in row])
    book.save(file)


def _line(writer: Any, buffer: io.StringIO, row: Sequence[Cell]) -> str:
    writer.writerow([_in_words(_neutralised_inside(neutralised(cell))) for cell in row])
    line = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return line


def _neutralised_inside(cell: Cell) -> Cell:
    return _FORMULA_INSIDE.sub(r"\1'", cell) if isinstance(cell, str) else cell


def _in_words(cell: Cell) -> Cell:
    if isinstance(cell, datetime) and timezone.is_aware(cell):
        return timezone.localtime(cell).isoformat(timespec="seconds")
    return cell


def _without_zone(cell: Cell) -> Cell:
    # Cells of a workbook know no time zones.
    if isinstance(cell, datetime) and timezone.is_aware(cell):
        return timezone.make_naive(cell)
    return cell
