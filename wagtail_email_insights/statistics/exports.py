"""The statistics of one or several mailings as tables, for a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from ..mailings.models import Mailing
from ..spreadsheets import Sheet
from ..tracking import retention
from ..tracking.models import Scope
from .breakdowns import (
    PartSlice,
    Slice,
    by_client,
    by_device,
    by_language,
    by_leaving_reason,
    by_link,
    by_list,
    by_segment,
    by_verdict,
)
from .curves import curve_for
from .figures import Figure, figures_for_all
from .overview import Overview


def figures_sheet(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Sheet:
    """Return every figure with its denominator, rate, total, meaning and how far to trust it."""
    rows: list[Sequence[Any]] = []
    for figure in figures_for_all(mailings, scope):
        rows += _figure_rows(figure)
    header = [
        _("Figure"),
        _("Number"),
        _("Of"),
        _("Of what"),
        _("Share"),
        _("In all"),
        _("What it means"),
        _("How far to trust it"),
    ]
    return Sheet(_("Figures"), header, rows)


def links_sheet(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Sheet:
    """Return every destination with the copies that followed it and how often in all."""
    kinds = {"link": _("Link"), "file": _("Attachment")}
    rows = [
        (part.url, kinds[part.kind], part.clicked, part.clicks, part.share)
        for part in by_link(mailings, scope)
    ]
    header = [_("Address"), _("Kind"), _("Copies"), _("In all"), _("Share of all who did")]
    return Sheet(_("Links"), header, rows)


def curve_sheet(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Sheet:
    """Return opens and clicks over time; the copies stand where it was their first."""
    rows = [
        (point.start, point.opens, point.clicks, point.opened, point.clicked)
        for point in curve_for(mailings, scope).points
    ]
    header = [_("From"), _("Opens"), _("Clicks"), _("First opened"), _("First clicked")]
    return Sheet(_("Over time"), header, rows)


def devices_sheet(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Sheet:
    """Return the devices that e-mails were read on."""
    return _slices_sheet(_("Devices"), _("Device"), by_device(mailings, scope))


def clients_sheet(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Sheet:
    """Return the programs that e-mails were read in."""
    return _slices_sheet(_("Programs"), _("Program"), by_client(mailings, scope))


def verdicts_sheet(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Sheet:
    """Return all opens and clicks by what they were judged to be, whatever the scope."""
    rows = [(part.label, part.sentence, part.opens, part.clicks) for part in by_verdict(mailings)]
    header = [_("Judged to be"), _("Why"), _("Opens"), _("Clicks")]
    return Sheet(_("People and machines"), header, rows)


def reasons_sheet(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Sheet:
    """Return why readers left."""
    rows = [(part.label, part.unsubscribed, part.share) for part in by_leaving_reason(mailings)]
    return Sheet(_("Why unsubscribed"), [_("Reason"), _("Copies"), _("Share")], rows)


def lists_sheet(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Sheet:
    """Return the lists that readers were on, and what those who may be known did."""
    return _parts_sheet(_("Lists"), _("List"), mailings, by_list(mailings, scope))


def segments_sheet(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Sheet:
    """Return the segments that readers are in today, and what those who may be known did."""
    return _parts_sheet(_("Segments"), _("Segment"), mailings, by_segment(mailings, scope))


def languages_sheet(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> Sheet:
    """Return the languages of readers, and what those who may be known did."""
    return _parts_sheet(_("Languages"), _("Language"), mailings, by_language(mailings, scope))


SHEETS: dict[str, Callable[[Iterable[Mailing], Scope], Sheet]] = {
    "figures": figures_sheet,
    "links": links_sheet,
    "time": curve_sheet,
    "devices": devices_sheet,
    "clients": clients_sheet,
    "verdicts": verdicts_sheet,
    "reasons": reasons_sheet,
    "lists": lists_sheet,
    "segments": segments_sheet,
    "languages": languages_sheet,
}
"""What can be exported, by the code that stands in an address."""


def sheets_for(mailings: Iterable[Mailing], scope: Scope = Scope.READERS) -> list[Sheet]:
    """Return all tables of *mailings* taken together, as the sheets of one workbook."""
    mailings = list(mailings)
    return [make(mailings, scope) for make in SHEETS.values()]


def overview_sheet(overview: Overview) -> Sheet:
    """Return one row per mailing, each figure as a number and a share, and the sums below."""
    header: list[Any] = [_("E-mail"), _("Started")]
    for figure in overview.totals:
        header += [figure.label, _("%(figure)s (share)") % {"figure": figure.label}]
    codes = list(overview.totals.by_code)
    rows: list[Sequence[Any]] = [
        (str(row.mailing.email), row.mailing.started_at, *_pairs(row.figures.by_code, codes))
        for row in overview.rows
    ]
    together = (_("All together"), None, *_pairs(overview.totals.by_code, codes))
    return Sheet(_("Mailings"), header, [*rows, together])


def _figure_rows(figure: Figure) -> list[Sequence[Any]]:
    of = (figure.denominator, figure.denominator_label)
    explained = (figure.total, figure.hint, figure.trust)
    rows: list[Sequence[Any]] = [(figure.label, figure.value, *of, figure.rate, *explained)]
    for part in figure.parts:
        label = _("%(figure)s %(part)s") % {"figure": figure.label, "part": part.label}
        rows.append((label, part.value, *of, part.rate, None, None, None))
    return rows


def _slices_sheet(name: str, of: str, slices: Iterable[Slice]) -> Sheet:
    rows = [
        (part.label, part.opened, part.opens, part.clicked, part.clicks, part.share)
        for part in slices
    ]
    header = [of, _("Opened"), _("Opens"), _("Clicked"), _("Clicks"), _("Share of all opened")]
    return Sheet(name, header, rows)


def _parts_sheet(
    name: str, of: str, mailings: Iterable[Mailing], parts: Iterable[PartSlice]
) -> Sheet:
    """Without its events nobody can tell who opened or clicked: these cells stay empty."""
    has_events = retention.removed_at([mailing.pk for mailing in mailings]) is None
    rows = [
        (
            part.label,
            part.sent,
            part.identified,
            *((part.opened, part.clicked) if has_events else (None, None)),
        )
        for part in parts
    ]
    header = [of, _("Sent"), _("May be known"), _("Opened"), _("Clicked")]
    return Sheet(name, header, rows)


def _pairs(figures: dict[str, Figure], codes: Iterable[str]) -> list[int | float | None]:
    pairs: list[int | float | None] = []
    for code in codes:
        figure = figures.get(code)
        pairs += [figure.value, figure.rate] if figure else [None, None]
    return pairs
