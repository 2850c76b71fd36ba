"""Whoever looks at a figure, wherever they look, reads the same number: the one counted by hand.

Hypothesis makes a world, ``tests.statistics.worlds`` counts it slowly over plain lists, and every
screen, file and function is held against that.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.urls import reverse
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.admin import by_hand, screens
from tests.admin.by_hand import Look
from tests.admin.statistics_world import address
from tests.statistics.told import Told, percent, told
from tests.statistics.worlds import FILE, SCOPES, World, build, busy_worlds, full_world, times
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import Mailing
from wagtail_email_insights.statistics import people
from wagtail_email_insights.statistics.figures import (
    Figures,
    figures_for,
    figures_for_all,
    figures_for_email,
)
from wagtail_email_insights.tracking.folding import COLUMNS
from wagtail_email_insights.tracking.models import Tally

OVERVIEW = "/admin/email-insights/overview/"
MARCH = {"days": "custom", "start": "2026-03-01", "end": "2026-03-31"}
SCOPE_NAMES = {0: "people", 1: "readers", 2: "everything"}
LABELS = {
    "sent": "Sent",
    "delivered": "Delivered",
    "opened": "Opened",
    "clicked": "Clicked",
    "click_to_open": "Clicked of opened",
    "unsubscribed": "Unsubscribed",
    "bounced": "Bounced",
    "complained": "Reported as spam",
    "replied": "Replied",
    "downloaded": "Attachment opened",
    "viewed": "Viewed in the browser",
}
FUNNEL = ("sent", "delivered", "opened", "clicked")
BY_NUMBER = ("sent", "delivered")
NOT_IN_TABLES = {"click_to_open", "viewed"}
DEVICES = {"": "Unknown", "phone": "Phone", "desktop": "Computer"}
PROGRAMS = {"": "Unknown", "Thunderbird": "Thunderbird"}
ONCE = "[data-wei-once]"
CODES = {"German": "de", "English": "en"}
"""Languages as files have them."""
REASONS = {"too_often": "It comes too often", "other": "Another reason"}

FULL_WORLD = full_world()

# A world costs dozens of pages. To see the smallest world that fails, take the phases out and wait.
a_few = settings(
    max_examples=3,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def on_worlds(**others: Sequence[int]) -> Callable[[Callable], Callable]:
    """Try a full world with each of the *others*, then a few random ones with any of them."""
    strategies = {name: st.sampled_from(values) for name, values in others.items()}

    def decorated(test: Callable) -> Callable:
        test = a_few(given(plan=busy_worlds, **strategies)(test))
        for values in product(*others.values()):
            test = example(plan=FULL_WORLD, **dict(zip(others, values, strict=True)))(test)
        return test

    return decorated


class PagesTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = get_user_model().objects.create_superuser("admin")

    def enter(self, plan: dict[str, Any]) -> World:
        self.client.force_login(self.admin)
        return build(plan)

    def page(self, url: str, **query: Any) -> Any:
        return screens.look(self.client, url, **query)


class StatisticsOfAnEmailTest(PagesTestCase):
    """The panel and the page, all mailings of an e-mail together or one of them, in each scope."""

    def looks(self, world: World, *scopes: int) -> Iterator[Look]:
        for mailings in selections(world):
            for scope in scopes or SCOPES:
                yield Look(world, mailings, scope)

    def usual_page(self, mailings: list[Mailing]) -> Any:
        query = {"mailing": mailings[0].pk} if len(mailings) == 1 else {}
        return self.page(address("statistics", mailings[0].email_id), **query)

    def page_of(self, look: Look) -> Any:
        """The page, reached from the usual one by its switch."""
        return self.page(ways(self.usual_page(look.mailings))[look.scope])

    @on_worlds()
    def test_panel(self, plan):
        for look in self.looks(self.enter(plan)):
            query = {"panel": "", "scope": SCOPE_NAMES[look.scope]}
            if len(look.mailings) == 1:
                query["mailing"] = look.mailings[0].pk
            url = address("statistics_fragment", look.mailings[0].email_id)
            self.essentials_agree(look, self.page(url, **query))

    @on_worlds()
    def test_page(self, plan):
        world = self.enter(plan)
        for mailings in selections(world):
            usual = self.usual_page(mailings)
            self.page_agrees(Look(world, mailings, 1), usual)
            for scope, url in enumerate(ways(usual)):
                if scope != 1:
                    self.page_agrees(Look(world, mailings, scope), self.page(url))

    @on_worlds(scope=[*SCOPES])
    def test_lists_segments_and_languages(self, plan, scope):
        for look in self.looks(self.enter(plan), scope):
            fetched = [each["data-wei-once"] for each in self.page_of(look).select(ONCE)]
            for part, url in zip(by_hand.PARTS, fetched, strict=True):
                rows = self.page(url).select("tbody tr")
                shown = {
                    name: [cell[:2] for cell in cells]
                    for name, cells in screens.cells_of(rows).items()
                }
                assert shown == {
                    name: [
                        (sent, ""),
                        (known, ""),
                        (opened, percent(opened, known) if known else ""),
                        (clicked, percent(clicked, known) if known else ""),
                    ]
                    for name, (sent, known, opened, clicked) in look.of_those(part).items()
                }, part

    @on_worlds(scope=[1, 2])
    def test_click_map(self, plan, scope):
        for look in self.looks(self.enter(plan), scope):
            url = self.page_of(look).select_one("a[href*='/map/']")["href"]
            page = self.page(url)
            self.links_agree(look, page)
            painted = self.page(page.iframe["src"])
            shown = [screens.words(badge) for badge in painted.select(".wei-badge")]
            newest = newest_first(look.mailings)[0]
            assert shown == [
                f"{readers} reader{'s' * (readers != 1)} · {clicks} click{'s' * (clicks != 1)} · "
                f"{percent(readers, everybody)}"
                for url, (_kind, readers, clicks, everybody) in look.links.items()
                if url != FILE or newest.pk in look.world.with_file
            ]

    @on_worlds(scope=[*SCOPES])
    def test_files(self, plan, scope):
        for look in self.looks(self.enter(plan), scope):
            page = self.page_of(look)
            exports = page.select(".wei-page-actions a[href*='/export/']")
            figures, links, book = (link["href"] for link in exports)
            self.figures_as_csv_agree(look, screens.csv_rows(self.client, figures)[1:])
            self.links_as_csv_agree(look, screens.csv_rows(self.client, links)[1:])
            self.workbook_agrees(look, screens.workbook(self.client, book))

    @on_worlds(which=[1, 8, 10])
    def test_known_and_anonymous_make_up_the_figure(self, plan, which):
        looks = list(self.looks(self.enter(plan)))
        assume(looks)
        look = looks[which % len(looks)]
        page = self.page_of(look)
        # So small a group is told roughly, lest somebody guesses who it is.
        with mock.patch.object(people, "SMALL_GROUP", 0):
            for number in numbers_with_people(look, page):
                self.people_agree(look, number)

    def page_agrees(self, look: Look, page: Any) -> None:
        self.essentials_agree(look, page)
        self.curves_agree(look, page)
        self.breakdowns_agree(look, page)

    def essentials_agree(self, look: Look, page: Any) -> None:
        assert screens.tiles(page) == {code: tile(code, it) for code, it in look.told.items()}
        assert screens.funnel(page) == [
            (LABELS[code], str(it.value), f"{it.percent} of {it.of} {it.of_what}")
            for code, it in look.told.items()
            if code in FUNNEL
        ]
        if "bounced" in look.told:
            sent = look.told["bounced"].of
            assert screens.bounces(page) == {
                name: (value, percent(value, sent)) for name, value in look.bounces.items()
            }
        self.links_agree(look, page)
        self.what_stands_beside_agrees(look, page)

    def links_agree(self, look: Look, page: Any) -> None:
        shown = screens.links(page)
        assert {url: row[:3] for url, row in shown.items()} == {
            url: (readers, percent(readers, everybody), clicks)
            for url, (_kind, readers, clicks, everybody) in look.links.items()
        }
        clicks = sum(row[2] for url, row in shown.items() if url != FILE)
        assert clicks == look.told["clicked"].total
        if FILE in shown:
            assert shown[FILE][2] == look.told["downloaded"].total

    def what_stands_beside_agrees(self, look: Look, page: Any) -> None:
        text = screens.words(page)
        assert screens.by_machines(page) == look.by_machines
        everything = look.in_scope(2).events
        assert screens.verdicts(page) == (times(everything, "open"), times(everything, "click"))
        sent = look.in_state("sent")
        named = sum(row["identified"] for row in sent)
        assert screens.coverage(page) == (named, len(sent), percent(named, len(sent)))
        for number, words in (
            (look.only_through_proxy, r"of which only a mail service's"),
            (len(look.in_state("failed")), r"(was|were) refused"),
            (len(look.in_state("uncertain")), r"(is|are) uncertain"),
        ):
            found = re.search(rf"(\d+) (copy|copies) {words}", text)
            assert (int(found[1]) if found else 0) == number, words

    def curves_agree(self, look: Look, page: Any) -> None:
        """The last curve has everything that ever happened, all times and first times."""
        opened, clicked = look.told["opened"], look.told["clicked"]
        if not (opened.value or opened.total or clicked.total):
            assert not screens.legends(page)
            return
        assert screens.legends(page)[-1] == (opened.total, clicked.total)
        assert screens.curves(page)[-1] == (
            (opened.total, opened.value),
            (clicked.total, clicked.value),
        )

    def breakdowns_agree(self, look: Look, page: Any) -> None:
        everybody = look.told["opened"].value

        def share(part: int) -> str:
            return percent(part, everybody) if everybody else ""

        for name, labels in (("device", DEVICES), ("client", PROGRAMS)):
            shown = screens.split(page, name)
            assert {label: [cell[:2] for cell in cells] for label, cells in shown.items()} == {
                labels[key]: [(opened, share(opened)), (clicked, "")]
                for key, (opened, _opens, clicked, _clicks) in look.parts(name).items()
            }
        left = {label: cells[0][0] for label, cells in screens.split(page, "why").items()}
        left.pop("Did not say", None)
        expected = {label: look.leavers(why) for why, label in REASONS.items()}
        assert left == {label: number for label, number in expected.items() if number}

    def figures_as_csv_agree(self, look: Look, rows: list[list[str]]) -> None:
        assert [tuple(row[:6]) for row in rows] == [
            tuple("" if cell is None else str(cell) for cell in row) for row in sheet(look)
        ]

    def links_as_csv_agree(self, look: Look, rows: list[list[str]]) -> None:
        assert {row[0]: (row[1], int(row[2]), int(row[3])) for row in rows} == {
            url: row[:3] for url, row in look.links.items()
        }

    def workbook_agrees(self, look: Look, book: dict[str, list[tuple]]) -> None:
        tables = {name: rows[1:] for name, rows in book.items()}
        # A workbook keeps fifteen digits.
        assert [tuple(map(rounded, row[:6])) for row in tables["Figures"]] == [
            tuple(map(rounded, row)) for row in sheet(look)
        ]
        assert {row[0]: row[1:4] for row in tables["Links"]} == {
            url: row[:3] for url, row in look.links.items()
        }
        opened, clicked = look.told["opened"], look.told["clicked"]
        whole = [opened.total, clicked.total, opened.value, clicked.value]
        assert sums(tables["Over time"], 1, 2, 3, 4) == whole
        for name, key, labels in (("Devices", "device", DEVICES), ("Programs", "client", PROGRAMS)):
            assert {row[0]: row[1:5] for row in tables[name]} == {
                labels[part]: numbers for part, numbers in look.parts(key).items()
            }
            assert sums(tables[name], 2, 4) == [opened.total, clicked.total]
        for name, part in (("Lists", "list"), ("Segments", "segment"), ("Languages", "language")):
            found = {row[0]: row[1:5] for row in tables[name]}
            assert found == {CODES.get(key, key): row for key, row in look.of_those(part).items()}
        everything = look.in_scope(2).events
        judged = [times(everything, "open"), times(everything, "click")]
        assert sums(tables["People and machines"], 2, 3) == judged

    def people_agree(self, look: Look, number: Number) -> None:
        url, code, value, where = number
        known, anonymous, names = screens.behind(self.client, url)
        contacts, nameless = by_hand.behind(look, code, **where)
        assert (known, anonymous) == (len(contacts), nameless), number
        assert names == {each.email for each in look.world.contacts if each.pk in contacts}, number
        # In one mailing nobody has two copies. How many did not, the tile says by two numbers.
        if len(look.mailings) == 1 and not code.startswith("not_"):
            assert known + anonymous == value, number


class OverAllEmailsTest(PagesTestCase):
    @on_worlds()
    def test_list_of_emails(self, plan):
        world = self.enter(plan)
        rows = screens.listing(self.page(reverse(Email.snippet_viewset.get_url_name("list"))))
        assert len(rows) == len(world.emails)
        for email in world.emails:
            row = rows[address("edit", email.pk)]
            for head, text in in_the_list(told(world, world.sent_of(email))).items():
                assert row.get(head) == text, head

    @on_worlds()
    @override_settings(WAGTAIL_EMAIL_INSIGHTS={"ranking_floor": 1})
    def test_overview(self, plan):
        world = self.enter(plan)
        usual = self.page(OVERVIEW, **MARCH)
        for scope, url in enumerate(ways(usual)):
            page = self.page(url)
            self.rows_agree(world, scope, page)
            self.sums_agree(world, scope, page)
            self.ranks_agree(world, scope, page)
            self.trend_agrees(world, scope, page)
        assert bool(ways(usual)) == bool(world.started and not is_first(world))
        self.rows_agree(world, 1, usual)
        self.progress_agrees(world, usual)

    @on_worlds(scope=[*SCOPES])
    def test_files_of_the_overview(self, plan, scope):
        world = self.enter(plan)
        assume(world.started)
        page = self.page(OVERVIEW, scope=SCOPE_NAMES[scope], **MARCH)
        as_csv, as_book = (link["href"] for link in page.select("a[href*='export=']"))
        whole = told(world, world.started, scope)
        expected = [told(world, [each], scope) for each in newest_first(world.started)]
        [table] = screens.workbook(self.client, as_book).values()
        for heads, *rows in (table, screens.csv_rows(self.client, as_csv)):
            for row, figures in zip(rows, [*expected, whole], strict=True):
                cells = dict(zip(heads, row, strict=True))
                for code in whole:
                    it = figures.get(code)
                    assert number_in(cells[LABELS[code]]) == (it and it.value), code
                    share = number_in(cells[f"{LABELS[code]} (share)"])
                    assert rounded(share) == rounded(it and it.rate), code

    @on_worlds(scope=[*SCOPES])
    def test_side_by_side(self, plan, scope):
        world = self.enter(plan)
        assume(len(world.started) > 1)
        groups = [[each] for each in reversed(newest_first(world.started))]
        chosen = [mailing.pk for [mailing] in groups]
        query = {"scope": SCOPE_NAMES[scope]}
        page = self.page(f"{OVERVIEW}compare/", mailing=chosen, **query)
        columns = [told(world, group, scope) for group in [*groups, world.started]]
        shown = page.select(".wei-compare tbody tr")
        assert {row["data-figure"] for row in shown} == {code for each in columns for code in each}
        for row in shown:
            expected = [each.get(row["data-figure"]) for each in columns]
            assert [screens.words(cell) for cell in row.select("td")] == [
                f"{it.percent} {it.value} of {it.of} {it.of_what}" if it else "–" for it in expected
            ]

    @on_worlds(scope=[*SCOPES])
    def test_an_email_beside_another_mailing(self, plan, scope):
        world = self.enter(plan)
        assume(len(world.started) > 1)
        first, *_others, last = world.started
        page = self.page(
            address("statistics", first.email_id),
            mailing=first.pk,
            compare=last.pk,
            scope=SCOPE_NAMES[scope],
        )
        columns = [told(world, [each], scope) for each in (first, last)]
        rows = page.select(".wei-comparison tbody tr")
        codes = [code for code in LABELS if any(each.get(code) for each in columns)]
        for code, row in zip(codes, rows, strict=True):
            for cell, mailing, figures in zip(
                row.select("td"), (first, last), columns, strict=True
            ):
                it = figures.get(code)
                assert bool(cell.a) == bool(it and it.value)
                if cell.a:
                    assert mailing_in(cell.a["href"]) == mailing.pk
                expected = f"{it.percent} {it.value} of {it.of}" if it else "–"
                assert screens.words(cell) == expected, code

    @on_worlds()
    def test_homepage(self, plan):
        world = self.enter(plan)
        lines = self.page("/admin/").select("#email-insights-section li")
        for mailing, line in zip(newest_first(world.started), lines, strict=True):
            figures = told(world, [mailing])
            delivered, opened, clicked = (figures[code] for code in FUNNEL[1:])
            read = (
                f"{delivered.value} delivered, {opened.percent} opened, {clicked.percent} clicked"
            )
            expected = progress(figures) if mailing.state == "sending" else read
            assert mailing_in(line.a["href"]) == mailing.pk
            assert screens.words(line.select_one(".wei-newest__figures")) == expected

    def rows_agree(self, world: World, scope: int, page: Any) -> None:
        rows = {mailing_in(url): row for url, row in screens.listing(page).items()}
        figures = {each.pk: told(world, [each], scope) for each in world.started}
        assert rows.keys() == figures.keys()
        known = {code for each in figures.values() for code in each}
        for pk, row in rows.items():
            for code in known - NOT_IN_TABLES:
                assert row[LABELS[code]] == in_a_table(code, figures[pk].get(code)), code

    def sums_agree(self, world: World, scope: int, page: Any) -> None:
        whole = told(world, world.started, scope)
        assert screens.tiles(page) == {
            code: tile(code, it, over_all=True) for code, it in whole.items()
        }

    def ranks_agree(self, world: World, scope: int, page: Any) -> None:
        for line in page.select(".wei-ranked li"):
            [mailing] = [each for each in world.started if each.pk == mailing_in(line.a["href"])]
            clicked = told(world, [mailing], scope)["clicked"]
            rate = screens.words(line.select_one(".wei-ranked__rate"))
            assert rate == f"{clicked.percent} {clicked.value} of {clicked.of}"

    def trend_agrees(self, world: World, scope: int, page: Any) -> None:
        days = sorted({each.started_at.date() for each in world.started})
        begun = [[each for each in world.started if each.started_at.date() == day] for day in days]
        figures = [(len(group), told(world, group, scope)) for group in begun]
        assert [
            [screens.words(cell) for cell in row.select("td")]
            for row in page.select(".wei-overview__trend tbody tr")
        ] == [
            [str(number), *(in_a_table(code, each[code]) for code in FUNNEL[1:])]
            for number, each in figures
        ]

    def progress_agrees(self, world: World, page: Any) -> None:
        notes = page.select(".wei-under-way")
        under_way = [each for each in world.started if each.state == "sending"]
        for mailing, note in zip(newest_first(under_way), notes, strict=True):
            assert mailing_in(note.a["href"]) == mailing.pk
            assert screens.words(note).endswith(progress(told(world, [mailing])))


class PythonTest(TestCase):
    def test_the_full_world_is_full(self):
        """Else a number could stand in another one's place and nobody would notice."""
        world = build(FULL_WORLD)
        mailings = world.sent_of(world.emails[0])
        assert len(mailings) == 2
        each = [told(world, mailings, scope) for scope in SCOPES]
        for it in each[1].values():
            assert it.value
            assert it.value != it.total
        for code in ("opened", "clicked", "downloaded"):
            assert len({figures[code].total for figures in each}) == 3
            assert len({figures[code].value for figures in each}) > 1
        assert len({each[1][code].value for code in ("opened", "clicked", "downloaded")}) == 3
        assert each[1]["opened"].of != each[1]["unsubscribed"].of
        look = Look(world, mailings, 1)
        contacts, nameless = by_hand.behind(look, "clicked")
        assert nameless
        assert len(contacts) + nameless < look.told["clicked"].value

    @on_worlds()
    def test_functions(self, plan):
        world = build(plan, figures_for_all)
        for scope in SCOPES:
            for mailing in world.mailings:
                assert as_told(figures_for(mailing, scope)) == plain(told(world, [mailing], scope))
            for email in world.emails:
                expected = plain(told(world, world.sent_of(email), scope))
                assert as_told(figures_for_email(email, scope)) == expected
            everything = plain(told(world, world.mailings, scope))
            assert as_told(figures_for_all(world.mailings, scope)) == everything

    @a_few
    @given(plan=st.just(FULL_WORLD) | busy_worlds, data=st.data())
    def test_a_planted_error_is_found_and_mended(self, plan, data):
        world = build(plan)
        row = data.draw(st.sampled_from(tallies_of(world)))
        column, right = data.draw(st.sampled_from([(it, getattr(row, it)) for it in COLUMNS]))
        wrong = right + data.draw(st.integers(1, 10**9) | st.integers(-(10**9), -1))
        run("audit")
        Tally.objects.filter(pk=row.pk).update(**{column: wrong})
        said = io.StringIO()
        with pytest.raises(CommandError, match=r"^1 numbers are wrong"):
            run("audit", stdout=said)
        [line] = said.getvalue().splitlines()
        assert line.startswith(f"{row.mailing_id}\t{column} [")
        assert line.endswith(f": {wrong} stored, {right} counted")
        run("rebuild_figures")
        run("audit")
        assert getattr(Tally.objects.get(**place_of(row)), column) == right

    @a_few
    @given(plan=st.just(FULL_WORLD) | busy_worlds, data=st.data())
    def test_a_lost_row_is_found_and_mended(self, plan, data):
        world = build(plan)
        rows = [row for row in tallies_of(world) if any(getattr(row, it) for it in COLUMNS)]
        lost = data.draw(st.sampled_from(rows))
        Tally.objects.filter(pk=lost.pk).delete()
        with pytest.raises(CommandError, match="numbers are wrong"):
            run("audit", str(lost.mailing_id))
        run("rebuild_figures", str(lost.mailing_id))
        run("audit")
        for mailing in world.mailings:
            assert as_told(figures_for(mailing)) == plain(told(world, [mailing]))


# What can be chosen, and where it leads


def selections(world: World) -> Iterator[list[Mailing]]:
    """What the statistics page offers: all mailings of an e-mail, and each of several."""
    for email in world.emails:
        mailings = world.sent_of(email)
        if mailings:
            yield mailings
        if len(mailings) > 1:
            yield from ([mailing] for mailing in mailings)


def ways(page: Any) -> list[str]:
    """Where the three-way switch leads, in the order of the scopes."""
    return [link["href"] for link in page.select(".wei-scope__choice")]


Number = tuple[str, str, int, dict[str, str]]
"""Where its contacts are, its code, the number itself, and the part of the figure that it is."""


def numbers_with_people(look: Look, page: Any) -> Iterator[Number]:
    """Every number of the statistics page that leads to contacts; those that do not are zero."""
    shown = {link["href"] for link in page.select("a[href*='/people/']")}
    for url in sorted(shown):
        query = parse_qs(urlsplit(url).query)
        if not query.keys() & {"link", "device", "client", "why", "hour", "day"}:
            code = urlsplit(url).path.rstrip("/").rpartition("/")[2]
            yield url, code, number_of(look, code), {}
    assert {code for code in by_hand.KINDS if (it := look.told.get(code)) and it.value} <= {
        url.partition("/people/")[2].partition("/")[0] for url in shown
    }
    for url, (readers, _share, _clicks, who) in screens.links(page).items():
        assert bool(who) == bool(readers)
        if who:
            yield who, "downloaded" if url == FILE else "clicked", readers, {"url": url}
    yield from numbers_of_breakdowns(page)
    yield from numbers_of_times(page)


def numbers_of_times(page: Any) -> Iterator[Number]:
    """The first times in the table of each curve."""
    for cell in page.select("details[id^=wei-time-] td"):
        _times, first = map(int, screens.NUMBER.findall(screens.words(cell)))
        assert bool(cell.a) == bool(first)
        if cell.a:
            url = urlsplit(cell.a["href"])
            query = parse_qs(url.query)
            [(begin, length)] = [
                (datetime.fromisoformat(query[unit][0]).replace(tzinfo=UTC), length)
                for unit, length in (("hour", timedelta(hours=1)), ("day", timedelta(days=1)))
                if unit in query
            ]
            code = url.path.rstrip("/").rpartition("/")[2]
            yield cell.a["href"], code, first, {"during": (begin, begin + length)}


def numbers_of_breakdowns(page: Any) -> Iterator[Number]:
    for name, labels in (("device", DEVICES), ("client", PROGRAMS)):
        keys = {label: key for key, label in labels.items()}
        for label, cells in screens.split(page, name).items():
            for code, (value, _rate, url) in zip(("opened", "clicked"), cells, strict=True):
                assert url or not value
                if url:
                    yield url, code, value, {name: keys[label]}


def number_of(look: Look, code: str) -> int:
    """The number that leads to the contacts of *code*, as the page should show it."""
    if code in look.told:
        return look.told[code].value
    if code in ("hard_bounced", "soft_bounced"):
        return look.bounces["for good" if code == "hard_bounced" else "for now"]
    if code == "only_through_proxy":
        return look.only_through_proxy
    return len(look.in_state(code))


def mailing_in(url: str) -> int:
    """The mailing whose statistics an address leads to."""
    return int(parse_qs(urlsplit(url).query)["mailing"][0])


def newest_first(mailings: list[Mailing]) -> list[Mailing]:
    return sorted(mailings, key=lambda each: (each.started_at, each.pk), reverse=True)


def is_first(world: World) -> bool:
    """Whether all that was ever sent is still on its way: there is nothing to look back on yet."""
    return [each.state for each in world.started] == ["sending"]


# How figures are written


def as_told(figures: Figures) -> dict[str, tuple]:
    return {
        each.code: (each.value, each.denominator, str(each.denominator_label), each.total)
        for each in figures
    }


def plain(figures: dict[str, Told]) -> dict[str, tuple]:
    return {code: (it.value, it.of, it.of_what, it.total) for code, it in figures.items()}


def tile(code: str, it: Told, *, over_all: bool = False) -> screens.Tile:
    """The tile of a figure on the statistics page, or on the overview."""
    both = f"{it.value} {it.percent}"
    if over_all:
        headline = both if code in BY_NUMBER else it.percent
        return screens.Tile(headline, it.value, it.of, it.of_what, None, None)
    headline = it.percent if code == "click_to_open" else both
    total, known = (it.total, it.known) if it.total else (None, None)
    return screens.Tile(headline, it.value, it.of, it.of_what, total, known)


def sheet(look: Look) -> list[tuple]:
    """The table of figures: name, number, of how many, of what, share, in all."""
    rows: list[tuple] = []
    for code, it in look.told.items():
        rows.append((LABELS[code], it.value, it.of, it.of_what, it.rate, it.total))
        if code == "bounced":
            for name, value in look.bounces.items():
                share = value / it.of if it.of else None
                rows.append((f"Bounced {name}", value, it.of, it.of_what, share, None))
    return rows


def in_the_list(figures: dict[str, Told]) -> dict[str, str | None]:
    """The columns of the list of e-mails; None for one that must not be there."""

    def number(code: str) -> str:
        it = figures[code]
        return str(it.value) if figures["sent"].value or it.value else "–"

    return {
        "Sent": number("sent"),
        "Delivered": number("delivered"),
        "Opened": figures["opened"].percent,
        "Clicked": figures["clicked"].percent,
        "Unsubscribed": number("unsubscribed"),
        "Replies": number("replied") if "replied" in figures else None,
        "Attachment views": str(figures["downloaded"].value) if "downloaded" in figures else "–",
    }


def in_a_table(code: str, it: Told | None) -> str:
    """How a table over several mailings writes a figure; a dash where there is none."""
    if it is None:
        return "–"
    return str(it.value) if code in BY_NUMBER else it.percent


def progress(figures: dict[str, Told]) -> str:
    sent = figures["sent"]
    return f"Sending {sent.value} of {sent.of} sent ({sent.percent})"


def number_in(cell: Any) -> float | None:
    return None if cell in ("", None) else float(cell)


def rounded(cell: Any) -> Any:
    return round(cell, 12) if isinstance(cell, float) else cell


def sums(rows: list[tuple], *columns: int) -> list[int]:
    return [sum(row[column] for row in rows) for column in columns]


# The sums that are kept


def run(command: str, *args: str, stdout: Any = None) -> None:
    call_command("email_insights", command, *args, stdout=stdout or io.StringIO())


def tallies_of(world: World) -> list[Tally]:
    rows = list(Tally.objects.filter(mailing__in=world.started).order_by("pk"))
    assume(rows)
    return rows


def place_of(row: Tally) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("mailing_id", "scope", "dimension", "key")}
