"""The figures on the screen as a file: everything as a workbook, or one table as CSV."""

from __future__ import annotations

from anyascii import anyascii
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.text import slugify

from .. import spreadsheets
from ..statistics import exports
from ..tracking import recording
from ..tracking.models import Scope
from .spreadsheet_responses import csv_stream
from .statistics_selection import SelectionPage


class StatisticsExport(SelectionPage):
    """What the address selects, in the format that it names; ``?sheet=`` is for CSV."""

    def get(self, request: HttpRequest, pk: int, file_format: str) -> HttpResponseBase:
        if file_format not in ("csv", "xlsx") or not self.selection.shown:
            raise Http404
        recording.catch_up()
        response = self._csv() if file_format == "csv" else self._xlsx()
        response["Content-Disposition"] = f'attachment; filename="{self._name(file_format)}"'
        response["Cache-Control"] = "no-store, private"
        return response

    def _csv(self) -> HttpResponseBase:
        sheet = exports.SHEETS.get(self.request.GET.get("sheet", "figures"))
        if sheet is None:
            raise Http404
        return csv_stream(self._name("csv"), sheet(self.selection.shown, self.selection.scope))

    def _xlsx(self) -> HttpResponseBase:
        sheets = exports.sheets_for(self.selection.shown, self.selection.scope)
        return HttpResponse(spreadsheets.xlsx(sheets), content_type=spreadsheets.XLSX)

    def _name(self, file_format: str) -> str:
        """Return a name that tells the files of one e-mail apart: its table and what is counted."""
        parts = [slugify(anyascii(str(self.email)))[:60] or "statistics"]
        if file_format == "csv":
            parts.append(slugify(self.request.GET.get("sheet", "figures")))
        if self.selection.scope != Scope.READERS:
            parts.append(self.selection.scope_name)
        return f"{'-'.join(parts)}.{file_format}"


export = StatisticsExport.as_view()
