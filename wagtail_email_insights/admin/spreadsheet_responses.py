"""Tables of any length as downloads, without holding them in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, islice

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse

from ..spreadsheets import CSV, XLSX, Cell, Sheet, csv_lines, save_xlsx

BOM = "\ufeff"
"""Without it Excel takes UTF-8 for something older."""
ROWS_ON_SHEET = 1_000_000
"""A sheet holds little more; the rest goes on the next."""

Rows = Iterable[Sequence[Cell]]


def csv_response(name: str, header: Sequence[Cell], rows: Rows) -> HttpResponseBase:
    """Send the table while it is read."""
    lines = chain([BOM], csv_lines(Sheet(name, header, rows)))
    disposition = f'attachment; filename="{name}.csv"'
    return StreamingHttpResponse(
        lines, content_type=CSV, headers={"Content-Disposition": disposition}
    )


def xlsx_response(name: str, header: Sequence[Cell], rows: Rows) -> HttpResponseBase:
    """Write the table to a temporary file, which goes when it is sent."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    save_xlsx(_sheets(header, iter(rows)), file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)


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
