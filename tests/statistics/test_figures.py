from __future__ import annotations

import pytest

from tests.factories import make_mailing
from tests.statistics.sent import copies_of, happen, make_link, make_sent
from wagtail_email_insights.mailings.models import MailingState
from wagtail_email_insights.statistics.counts import NUMBERS
from wagtail_email_insights.statistics.figures import (
    figures_for,
    figures_for_all,
    figures_for_email,
)
from wagtail_email_insights.tracking import actions
from wagtail_email_insights.tracking.models import Event, Scope

pytestmark = pytest.mark.django_db


def test_what_came_back_was_not_delivered():
    mailing = make_sent(*["sent"] * 5, "failed", "uncertain")
    happened = [
        ["soft_bounce", "soft_bounce"],
        ["soft_bounce", "hard_bounce"],
        ["soft_bounce", "delivered"],
        ["complaint", "reply", "auto_reply"],
        [],
        # Never counted as sent, so nothing to take off.
        ["hard_bounce"],
        ["soft_bounce"],
    ]
    for copy, kinds in zip(copies_of(mailing), happened, strict=True):
        for kind in kinds:
            happen(mailing, kind, copy)
    figures = figures_for(mailing)
    assert (figures["bounced"].value, figures["bounced"].denominator) == (2, 5)
    assert (figures["delivered"].value, figures["delivered"].denominator) == (3, 5)
    assert (figures["complained"].value, figures["complained"].denominator) == (1, 3)
    assert (figures["opened"].denominator, figures["clicked"].denominator) == (3, 3)
    assert figures["replied"].value == 1


def test_bounces_for_good_and_for_now_are_told_apart():
    mailing = make_sent(*["sent"] * 4)
    hard, soft, also_soft, _fine = copies_of(mailing)
    happen(mailing, "hard_bounce", hard)
    happen(mailing, "soft_bounce", soft)
    happen(mailing, "soft_bounce", also_soft)
    parts = figures_for(mailing)["bounced"].parts
    assert [(str(part.label), part.value, part.rate) for part in parts] == [
        ("for good", 1, 0.25),
        ("for now", 2, 0.5),
    ]


def test_rates_are_of_copies_that_can_be_told_apart():
    mailing = make_sent("known", *["sent"] * 9, counting="shared")
    happen(mailing, "click", copies_of(mailing)[0])
    for _ in range(3):
        happen(mailing, "click")
    clicked = figures_for(mailing)["clicked"]
    assert (clicked.value, clicked.denominator, clicked.total) == (1, 1, 4)
    assert clicked.denominator_label == "delivered and told apart"


@pytest.mark.parametrize("counting", ["per_copy", "shared", "off"])
def test_no_share_moves_when_somebody_takes_the_consent_back(counting):
    mailing = make_sent("known", "known", "known", "sent", counting=counting)
    first, second, third, _anonymous = copies_of(mailing)
    happen(mailing, "click", first)
    happen(mailing, "click", second)
    happen(mailing, "hard_bounce", third)
    before = figures_for(mailing)
    for copy in (first, second, third):
        actions.strip_contact(copy.contact)
    after = figures_for(mailing)
    assert [(it.code, it.value, it.denominator) for it in after] == [
        (it.code, it.value, it.denominator) for it in before
    ]
    assert (before.coverage.identified, after.coverage.identified) == (3, 0)


def test_image_proxies_count_as_readers_and_machines_only_when_asked_for():
    mailing = make_sent(*["sent"] * 4)
    for key, verdict in enumerate(["human", "suspected", "proxy", "machine"], start=1):
        happen(mailing, "open", -key, verdict=verdict)
    opened = {scope: figures_for(mailing, scope)["opened"].value for scope in Scope}
    assert opened == {Scope.PEOPLE: 2, Scope.READERS: 3, Scope.EVERYTHING: 4}
    assert figures_for(mailing)["opened"].value == 3
    counts = figures_for(mailing).counts
    assert (counts.machine_opens, counts.only_through_proxy) == (1, 1)


def test_figures_that_nobody_reports_are_absent(settings):
    absent = {"bounced", "complained", "replied", "downloaded"}
    assert not absent & set(figures_for(make_sent("sent")).by_code)
    settings.WAGTAIL_EMAIL_INSIGHTS = {"mailboxes": [{"host": "127.0.0.1"}]}
    figures = figures_for(make_sent("sent"))
    assert (figures["bounced"].value, figures["replied"].value) == (0, 0)
    assert "complained" not in figures


def test_what_was_reported_once_is_reported_from_then_on():
    elsewhere = make_sent("sent")
    happen(elsewhere, "complaint", copies_of(elsewhere)[0])
    assert figures_for(make_sent("sent"))["complained"].value == 0


def test_a_report_is_still_counted_after_its_event_was_deleted():
    mailing = make_sent("sent")
    happen(mailing, "complaint", copies_of(mailing)[0])
    Event.objects.all().delete()
    assert figures_for(mailing)["complained"].value == 1


def test_attachments_are_counted_where_there_are_some():
    mailing = make_sent("sent", "sent")
    file = make_link(mailing, "/documents/7/prices.pdf", document_id=7)
    assert figures_for(mailing)["downloaded"].value == 0
    happen(mailing, "download", -1, link=file)
    happen(mailing, "download", -1, link=file)
    figures = figures_for(mailing)
    assert (figures["downloaded"].value, figures["downloaded"].total) == (1, 2)
    assert (figures["opened"].value, figures["clicked"].value) == (1, 0)


def test_only_copies_that_had_an_attachment_could_have_it_opened():
    with_file, without = make_sent("sent", "sent", "known"), make_sent(*["sent"] * 40)
    file = make_link(with_file, document_id=7)
    happen(with_file, "download", -1, link=file)
    for figures in (figures_for(with_file), figures_for_all([with_file, without])):
        opened = figures["downloaded"]
        assert (opened.value, opened.denominator) == (1, 3)
        assert opened.denominator_label == "delivered with an attachment"
    assert "downloaded" not in figures_for(without)


def test_copies_that_are_not_told_apart_are_left_out_of_attachments_too():
    mailing = make_sent("sent", "sent", "known", counting="shared")
    make_link(mailing, document_id=7)
    opened = figures_for(mailing)["downloaded"]
    assert (opened.denominator, opened.denominator_label) == (
        1,
        "delivered with an attachment and told apart",
    )


def test_reading_it_as_a_web_page_is_no_click_and_no_open():
    mailing = make_sent("sent")
    happen(mailing, "web_view", -1)
    figures = figures_for(mailing)
    assert [figures[code].value for code in ("viewed", "opened", "clicked")] == [1, 0, 0]


def test_nothing_divided_by_nothing_is_no_rate():
    figures = figures_for(make_mailing())
    assert [figure.rate for figure in figures] == [None] * len(figures.by_code)
    assert figures.coverage.rate is None


def test_several_mailings_are_sums_over_sums():
    small, large = make_sent("sent"), make_sent(*["sent"] * 9)
    happen(small, "click", -1)
    clicked = figures_for_all([small, large])["clicked"]
    assert (clicked.value, clicked.denominator, clicked.rate) == (1, 10, 0.1)


def test_a_draft_mailing_is_no_part_of_an_emails_figures():
    mailing = make_sent("sent")
    happen(mailing, "click", -1)
    assert figures_for_email(mailing.email)["clicked"].value == 1
    mailing.state, mailing.started_at = MailingState.DRAFT, None
    mailing.save()
    assert figures_for_email(mailing.email)["clicked"].value == 0


def test_no_mailing_at_all_has_figures_too():
    assert figures_for_all([])["sent"].value == 0


def test_figures_cost_the_same_after_many_events(queries_of):
    mailings = [make_sent(*["sent"] * 3) for _ in range(5)]
    for mailing in mailings:
        happen(mailing, "click", -1)
    # What nobody changes any more is counted by the first who asks.
    figures_for_all(mailings)
    few = queries_of(lambda: figures_for(mailings[0]))
    for number in range(40):
        happen(mailings[0], "open", -number - 1)
        happen(mailings[0], "complaint", copies_of(mailings[0])[number % 3])
    assert queries_of(lambda: figures_for(mailings[0])) == few
    assert queries_of(lambda: figures_for_all(mailings)) == few


def test_every_count_is_the_sum_of_what_it_counts():
    one, two = make_sent("sent", "failed", "known"), make_sent("known", "uncertain", "skipped")
    together = figures_for_all([one, two]).counts
    for name in NUMBERS:
        parts = [getattr(figures_for(mailing).counts, name) for mailing in (one, two)]
        assert getattr(together, name) == sum(parts), name
    assert (together.audience, together.skipped, together.waiting) == (6, 1, 0)
