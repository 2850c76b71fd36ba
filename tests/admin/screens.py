"""What the screens of statistics say, read off their HTML and their files as an editor would."""

from __future__ import annotations

import csv
import io
import re
from typing import Any, NamedTuple

from bs4 import BeautifulSoup
from openpyxl import load_workbook

KEPT_APART = ("click", "open")
NUMBER = re.compile(r"(\d+)")
OF = re.compile(
    r"(\d+) of (\d+) "
    r"(to be sent|sent|opened|delivered(?: with an attachment)?(?: and told apart)?)"
)
TOTAL = re.compile(r"(\d+) times? in all")
KNOWN = re.compile(r"(\d+) of these times by (?:somebody|people) who may be known")
COVERAGE = re.compile(r"(\d+) of (\d+) cop(?:y|ies) \(([^)]*)\)")
PART = re.compile(r"(for good|for now): (\d+) \(([^)]*)\)")
BEHIND = re.compile(
    r"(\d+) contacts?(?: who may be known)?(?:, and (\d+) anonymous cop(?:y|ies))?$"
)


class Tile(NamedTuple):
    """What one tile says: its largest words first."""

    headline: str
    value: int
    of: int
    of_what: str
    total: int | None
    known: int | None


def look(client: Any, url: str, **query: Any) -> BeautifulSoup:
    """A page as it is seen: without the words that are for screen readers only."""
    response = client.get(url, query)
    assert response.status_code == 200, (url, response.status_code)
    page = BeautifulSoup(response.content, "html.parser")
    for hint in page.select("span.w-sr-only"):
        hint.decompose()
    return page


def words(element: Any) -> str:
    return " ".join(element.get_text(" ").split())


def tiles(page: BeautifulSoup) -> dict[str, Tile]:
    return {tile["data-figure"]: _tile(tile) for tile in page.select(".wei-figure")}


def _tile(element: Any) -> Tile:
    text = " ".join(words(line) for line in element.select(".wei-figure__of"))
    found = OF.match(text)
    assert found, text
    value, of, of_what = found.groups()
    headline = words(element.select_one(".wei-figure__value"))
    return Tile(headline, int(value), int(of), of_what, _first(TOTAL, text), _first(KNOWN, text))


def _first(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(found[1]) if found else None


def bounces(page: BeautifulSoup) -> dict[str, tuple[int, str]]:
    """The two parts of the bounces, each as number and rate."""
    text = words(page.select_one("[data-figure=bounced] .wei-figure__of"))
    return {name: (int(number), rate) for name, number, rate in PART.findall(text)}


def funnel(page: BeautifulSoup) -> list[tuple[str, ...]]:
    """Each step as name, copies, and share of what."""
    return [
        tuple(words(cell) for cell in row.select("th, td"))
        for row in page.select(".wei-funnel tbody tr")
    ]


def links(page: BeautifulSoup) -> dict[str, tuple[int, str, int, str]]:
    """Each destination as readers, their share, clicks, and where the contacts are."""
    found = {}
    for row in page.select(".wei-links tbody tr"):
        url, readers, clicks = row.select("td")
        number, share, people = _cell(readers)
        assert url.a["href"] not in found
        found[url.a["href"]] = (number, share, int(words(clicks)), people)
    return found


def split(page: BeautifulSoup, code: str) -> dict[str, list[tuple[int, str, str]]]:
    """Each part of a breakdown with its cells: number, rate or "", and where the contacts are."""
    return cells_of(page.select(f"[aria-labelledby=wei-split-{code}] tbody tr"))


def cells_of(rows: Any) -> dict[str, list[tuple[int, str, str]]]:
    return {words(row.th): [_cell(cell) for cell in row.select("td")] for row in rows}


def _cell(cell: Any) -> tuple[int, str, str]:
    number, _space, rate = words(cell).partition(" ")
    return int(number), rate, cell.a["href"] if cell.a else ""


Sums = tuple[tuple[int, int], tuple[int, int]]
"""Opens and clicks, each counted every time and for the first time only."""


def curves(page: BeautifulSoup) -> list[Sums]:
    """The sums under the table of each curve over time."""
    return [_sums(table) for table in page.select("details[id^=wei-time-] table")]


def _sums(table: Any) -> Sums:
    numbers = [
        [[int(number) for number in NUMBER.findall(words(cell))] for cell in row.select("td")]
        for row in table.select("tbody tr")
    ]
    opens, clicks = (
        tuple(map(sum, zip(*column, strict=True))) for column in zip(*numbers, strict=True)
    )
    return opens, clicks


def legends(page: BeautifulSoup) -> list[tuple[int, int]]:
    """Opens and clicks as they stand above each curve."""
    return [
        tuple(
            _first(NUMBER, words(caption.select_one(f".wei-key--{name}")))
            for name in ("opens", "clicks")
        )
        for caption in page.select(".wei-chart__caption")
    ]


def by_machines(page: BeautifulSoup) -> tuple[int | None, ...]:
    """Clicks and opens that are kept apart."""
    text = words(page)
    return tuple(_first(re.compile(rf"(\d+) {kind}s? by machines"), text) for kind in KEPT_APART)


def coverage(page: BeautifulSoup) -> tuple[int, int, str]:
    """How many copies, of how many sent, went to people who may be known, and their share."""
    text = words(page.select_one(".wei-coverage"))
    found = COVERAGE.match(text)
    assert found, text
    return int(found[1]), int(found[2]), found[3]


def verdicts(page: BeautifulSoup) -> tuple[int, int]:
    """All opens and all clicks in the table of verdicts."""
    rows = [
        [int(words(cell)) for cell in row.select("td")]
        for row in page.select("#wei-verdicts tbody tr")
    ]
    return sum(row[0] for row in rows), sum(row[1] for row in rows)


def behind(client: Any, url: str) -> tuple[int, int, set[str]]:
    """How many may be known behind a number, how many nobody can name, and who they are."""
    page = look(client, url)
    found = BEHIND.match(words(page.select_one(".wei-big")).replace(" ,", ","))
    assert found, words(page.select_one(".wei-big"))
    names = {words(row.td) for row in page.select("table.wei-table tbody tr")}
    return int(found[1]), int(found[2] or 0), names


def csv_rows(client: Any, url: str) -> list[list[str]]:
    response = client.get(url)
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def workbook(client: Any, url: str) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each sheet, its heading first."""
    response = client.get(url)
    assert response.status_code == 200
    content = b"".join(response.streaming_content) if response.streaming else response.content
    book = load_workbook(io.BytesIO(content))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def listing(page: BeautifulSoup) -> dict[str, dict[str, str]]:
    """Every row of a list by its title's address, each cell by the head of its column."""
    heads = [words(cell) for cell in page.select("table.listing thead th")]
    return {
        row.select_one(".title-wrapper a")["href"]: dict(
            zip(heads, (words(cell) for cell in row.select("td")), strict=True)
        )
        for row in page.select("table.listing tbody tr")
    }
