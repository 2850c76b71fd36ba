"""Tables of any length as downloads, without holding them in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, islice

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone, translation

from ..spreadsheets import CSV, XLSX, Cell, Sheet, csv_lines, save_xlsx

BOM = "\ufeff"
"""Without it Excel takes UTF-8 for something older."""
ROWS_ON_SHEET = 1_000_000
"""A sheet holds little more; the rest goes on the next."""

LINES_AT_ONCE = 100

Rows = Iterable[Sequence[Cell]]


def csv_response(name: str, header: Sequence[Cell], rows: Rows) -> HttpResponseBase:
    """Send the table while it is read."""
    return csv_stream(f"{name}.csv", Sheet(name, header, rows))


def csv_stream(file_name: str, sheet: Sheet) -> StreamingHttpResponse:
    """Send *sheet* while it is read."""
    return StreamingHttpResponse(
        _as_asked_for(chain([BOM], csv_lines(sheet))),
        content_type=CSV,
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def xlsx_response(name: str, header: Sequence[Cell], rows: Rows) -> HttpResponseBase:
    """Write the table to a temporary file, which goes when it is sent."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    save_xlsx(_sheets(header, iter(rows)), file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)


def _as_asked_for(lines: Iterator[str]) -> Iterator[str]:
    """Read *lines*, a piece at a time, in the language and time zone of whoever asks now.

    They are sent when the request, and with it Wagtail's choice of both, is over.
    """
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def pieces() -> Iterator[str]:
        while True:
            with translation.override(language), timezone.override(zone):
                piece = "".join(islice(lines, LINES_AT_ONCE))
            if not piece:
                return
            yield piece

    return pieces()


def _sheets(header: Sequence[Cell], rows: Iterator[Sequence[Cell]]) -> Iterator[Sheet]:
    """Cut the table into sheets; the first is there even without rows."""
    for number in count(1):
        first = list(islice(rows, 1))
        if number > 1 and not first:
            return
        yield Sheet(str(number), header, chain(first, islice(rows, ROWS_ON_SHEET - 1)))


FORMATS: dict[str, Callable[[str, Sequence[Cell], Rows], HttpResponseBase]] = {
    "csv": csv_response,
    "xlsx": xlsx_response,
}
"""Per format of a file: what makes it of a name, a header and rows."""
