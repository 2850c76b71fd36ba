"""Every screen's numbers on random worlds, judged by a slow count over plain lists."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis.extra.django import TestCase

from tests.statistics.worlds import (
    World,
    bounce_of,
    build,
    different_copies,
    hard_bounces,
    seen,
    slow_count,
    times,
    worlds,
)
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.statistics.breakdowns import (
    by_client,
    by_device,
    by_leaving_reason,
    by_link,
    by_variant,
    by_verdict,
)
from wagtail_email_insights.statistics.comparison import compare
from wagtail_email_insights.statistics.curves import curve_for
from wagtail_email_insights.statistics.exports import SHEETS, figures_sheet
from wagtail_email_insights.statistics.figures import (
    Figures,
    figures_for,
    figures_for_all,
    figures_for_email,
)
from wagtail_email_insights.statistics.overview import OverviewFilters, overview
from wagtail_email_insights.statistics.people import behind
from wagtail_email_insights.statistics.queries import with_kpis
from wagtail_email_insights.tracking import tallies
from wagtail_email_insights.tracking.models import Scope

random_worlds = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def told(figures: Figures) -> dict[str, tuple]:
    return {figure.code: (figure.value, figure.denominator, figure.total) for figure in figures}


def agree(figures: Figures, world: World, mailings: list) -> None:
    """The figures are what the slow count says; those that nobody reports may be absent."""
    expected = slow_count(world, mailings, figures.scope)
    shown = told(figures)
    assert shown == {code: expected[code] for code in shown}
    absent = {code: expected[code][0] for code in expected.keys() - shown.keys()}
    assert not any(absent.values()), absent


class RandomWorldsTest(TestCase):
    @random_worlds
    @given(worlds)
    def test_figures_are_what_counting_by_hand_gives(self, plan):
        world = build(plan)
        for scope in Scope:
            for mailing in world.mailings:
                agree(figures_for(mailing, scope), world, [mailing])
            agree(figures_for_all(world.mailings, scope), world, world.mailings)
            for email in world.emails:
                of_email = [each for each in world.started if each.email_id == email.pk]
                agree(figures_for_email(email, scope), world, of_email)

    @random_worlds
    @given(worlds)
    def test_sums_kept_are_sums_counted(self, plan):
        world = build(plan)
        assert [str(found) for each in world.mailings for found in tallies.audit(each)] == []

    @random_worlds
    @given(worlds)
    def test_what_stands_beside_the_figures(self, plan):
        world = build(plan)
        counts = figures_for_all(world.mailings).counts
        readers, everything = (seen(world, world.mailings, scope) for scope in (1, 2))
        assert counts.machine_clicks == times(everything, "click") - times(readers, "click")
        assert counts.machine_opens == times(everything, "open") - times(readers, "open")
        assert counts.hard_bounced == hard_bounces(world, world.mailings)
        identified = [row for row in world.copies if row["identified"] and row["state"] == "sent"]
        assert counts.identified == len(identified)
        named = [row for row in readers if row["kind"] == "click" and row["contact"]]
        assert counts.clicks_identified == len(named)

    @random_worlds
    @given(worlds)
    def test_every_screen_says_the_same(self, plan):
        world = build(plan)
        figures = told(figures_for_all(world.started))
        sheet = {row[0]: row[1:6] for row in figures_sheet(world.started).rows}
        for figure in figures_for_all(world.started):
            number, of, _label, share, total = sheet[figure.label]
            assert (number, of, total) == figures[figure.code]
            assert share == figure.rate
        rows = compare([world.started, *[[each] for each in world.started]])
        for row in rows:
            together, *each = row.cells
            assert (together.value, together.denominator, together.total) == figures[row.code]
            assert together.value == sum(cell.value for cell in each if cell)
        span = OverviewFilters(
            start=timezone.make_aware(timezone.datetime(2026, 3, 1)),
            end=timezone.make_aware(timezone.datetime(2026, 4, 1)),
        )
        shown = overview(span)
        assert told(shown.totals) == figures
        assert (
            sum(bucket.figures["clicked"].value for bucket in shown.trend)
            == (figures["clicked"][0])
        )
        assert sum(row.figures["sent"].value for row in shown.rows) == figures["sent"][0]

    @random_worlds
    @given(worlds)
    def test_the_list_of_emails_says_the_same(self, plan):
        world = build(plan)
        for email in with_kpis(Email.objects.order_by("pk")):
            figures = figures_for_email(email)
            expected = slow_count(
                world, [each for each in world.started if each.email_id == email.pk]
            )
            assert email.kpi_sent == expected["sent"][0]
            assert email.kpi_delivered == expected["delivered"][0]
            assert email.kpi_unsubscribed == expected["unsubscribed"][0]
            assert email.kpi_replies == expected["replied"][0]
            assert email.kpi_attachment_views == expected["downloaded"][0]
            assert email.kpi_open_rate == figures["opened"].rate
            assert email.kpi_click_rate == figures["clicked"].rate

    @random_worlds
    @given(worlds)
    def test_links(self, plan):
        world = build(plan)
        for scope in Scope:
            events = seen(world, world.mailings, scope)
            for part in by_link(world.mailings, scope):
                kind = "click" if part.kind == "link" else "download"
                here = [row for row in events if row["url"] == part.url]
                assert part.clicked == len(different_copies(here, kind))
                assert part.clicks == times(here, kind)
                everybody = different_copies(events, kind)
                share = part.clicked / len(everybody) if everybody else None
                assert part.share == share
            everywhere = {row["url"] for row in events if row["url"]}
            assert everywhere <= {part.url for part in by_link(world.mailings, scope)}

    @random_worlds
    @given(worlds)
    def test_devices_programs_and_variants(self, plan):
        world = build(plan)
        for name, breakdown in (
            ("device", by_device),
            ("client", by_client),
            ("variant", by_variant),
        ):
            for scope in Scope:
                events = seen(world, world.mailings, scope)
                parts = {part.key: part for part in breakdown(world.mailings, scope)}
                touched = {str(row[name]) for row in events if row["kind"] in ("open", "click")}
                assert touched <= set(parts)
                for key, part in parts.items():
                    here = [row for row in events if str(row[name]) == key]
                    opened = different_copies(here, "open", "click", "download")
                    assert part.opened == len(opened)
                    assert part.clicked == len(different_copies(here, "click"))
                    assert (part.opens, part.clicks) == (times(here, "open"), times(here, "click"))

    @random_worlds
    @given(worlds)
    def test_verdicts_and_reasons_for_leaving(self, plan):
        world = build(plan)
        expected = Counter(
            (row["verdict"], row["reason"], row["kind"])
            for row in world.events
            if row["kind"] in ("open", "click")
        )
        shown = Counter()
        for part in by_verdict(world.mailings):
            shown[part.verdict, part.reason, "open"] += part.opens
            shown[part.verdict, part.reason, "click"] += part.clicks
            assert str(part.label)
            assert str(part.sentence)
        assert +shown == +expected
        for part in by_leaving_reason(world.mailings):
            if part.key:
                here = [row for row in world.events if row["why"] == part.key]
                assert part.unsubscribed == len(different_copies(here, "unsubscribe"))

    @random_worlds
    @given(worlds)
    def test_the_curve_adds_up_to_the_figures(self, plan):
        world = build(plan)
        for scope in Scope:
            figures = figures_for_all(world.mailings, scope)
            for zone in ("UTC", "Asia/Kathmandu", "Europe/Lisbon"):
                with timezone.override(zone):
                    curve = curve_for(world.mailings, scope)
                sums = {
                    name: sum(getattr(point, name) for point in curve.points)
                    for name in ("opens", "clicks", "opened", "clicked")
                }
                assert sums == {
                    "opens": figures["opened"].total,
                    "clicks": figures["clicked"].total,
                    "opened": figures["opened"].value,
                    "clicked": figures["clicked"].value,
                }

    @random_worlds
    @given(worlds)
    def test_days_of_the_curve_are_those_of_the_calendar(self, plan):
        world = build(plan)
        clicks = [row for row in seen(world, world.mailings, 1) if row["kind"] == "click"]
        with timezone.override("Europe/Lisbon"):
            curve = curve_for(world.mailings, unit="day")
            local = [row["at"].astimezone(ZoneInfo("Europe/Lisbon")) for row in clicks]
            for point in curve.points:
                assert (point.start.hour, point.start.minute) == (0, 0)
                assert point.clicks == sum(at.date() == point.start.date() for at in local)

    @random_worlds
    @given(worlds)
    def test_nobody_is_named_without_consent(self, plan):
        world = build(plan)
        kinds = {
            "opened": ("open", "click", "download"),
            "clicked": ("click",),
            "downloaded": ("download",),
            "viewed": ("web_view",),
            "unsubscribed": ("unsubscribe",),
            "complained": ("complaint",),
            "replied": ("reply",),
        }
        for code, of_kinds in kinds.items():
            events = [row for row in seen(world, world.mailings, 1) if row["kind"] in of_kinds]
            found = behind(world.mailings, code)
            named = {row["contact"] for row in events if row["contact"]}
            assert set(found.contacts.values_list("pk", flat=True)) == named
            assert found.known == len(named)
            everybody = different_copies(events, *of_kinds)
            with_name = {row["copy"] for row in events if row["contact"]}
            assert found.anonymous == len(everybody - with_name)

    @random_worlds
    @given(worlds)
    def test_who_did_not_click_is_known_to_have_got_it(self, plan):
        world = build(plan)
        events = seen(world, world.mailings, 1)
        clicked = different_copies(events, "click")
        silent = {
            row["contact"]
            for row in world.copies
            if row["state"] == "sent"
            and row["identified"]
            and not bounce_of(world, row["id"])
            and row["id"] not in clicked
        }
        found = behind(world.mailings, "not_clicked")
        assert set(found.contacts.values_list("pk", flat=True)) == silent

    @random_worlds
    @given(worlds)
    def test_every_sheet_can_be_made(self, plan):
        world = build(plan)
        for make in SHEETS.values():
            sheet = make(world.mailings, Scope.READERS)
            assert sheet.name
            assert all(len(row) == len(sheet.header) for row in sheet.rows)
