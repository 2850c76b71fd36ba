from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from wagtail.models import Page, PageViewRestriction

from tests.digests.conftest import NOW
from tests.factories import make_email, make_mailing
from wagtail_email_insights.digests import actions
from wagtail_email_insights.digests.actions import run
from wagtail_email_insights.digests.models import Digest
from wagtail_email_insights.digests.tasks import run_due_digests
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.emails.queries import newest_pages
from wagtail_email_insights.emails.rendering import render_email
from wagtail_email_insights.mailings.models import Mailing, MailingState
from wagtail_email_insights.sending.batches import work_on

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def titles(email: Email) -> list[str]:
    return [child.value["page"].title for child in email.body if child.block_type == "page_teaser"]


def test_an_issue_is_a_copy_of_the_template_with_the_new_pages(digest, publish, template, news):
    publish("Roses", hours=5)
    publish("Tulips", hours=2)
    mailing = run(digest, NOW)
    email = mailing.email
    assert email.title == "Weekly – June 5, 2026"
    assert (email.subject, email.preheader) == ("The week", "Read on")
    assert [child.block_type for child in email.body] == [
        "heading",
        "page_teaser",
        "page_teaser",
        "rich_text",
    ]
    assert titles(email) == ["Tulips", "Roses"]
    assert titles(email.get_latest_revision_as_object()) == ["Tulips", "Roses"]
    assert list(mailing.recipient_lists.all()) == [news]
    assert [child.block_type for child in template.body][1] == "newest_pages"


def test_it_is_sent(digest, publish):
    publish("Roses")
    mailing = run(digest, NOW)
    work_on(mailing, seconds=30)
    mailing.refresh_from_db()
    assert mailing.state == MailingState.SENT
    assert "Roses" in mail.outbox[0].body
    assert digest.last_result == "Sent with 1 new page."


def test_times_and_watermark_move_on(digest, publish):
    page = publish("Roses", hours=3)
    run(digest, NOW)
    digest.refresh_from_db()
    assert (digest.last_run_at, digest.next_run_at) == (NOW, NOW + WEEK)
    assert digest.pages_since == page.first_published_at


def test_no_page_is_sent_twice(digest, publish):
    publish("Roses")
    run(digest, NOW)
    assert run(digest, NOW + WEEK) is None
    assert digest.last_result == "Nothing sent: no new pages."


def test_nothing_new_nothing_sent(digest):
    since = digest.pages_since
    assert run(digest, NOW) is None
    digest.refresh_from_db()
    assert digest.pages_since == since
    assert digest.next_run_at == NOW + WEEK
    assert not Mailing.objects.exists()
    assert Email.objects.count() == 1


def test_only_live_public_pages_of_the_site(digest, publish):
    publish("Old", hours=24 * 8)
    publish("Draft", live=False)
    publish("Future", hours=-1)
    members = publish("Members")
    PageViewRestriction.objects.create(
        page=members, restriction_type=PageViewRestriction.PASSWORD, password="x"
    )
    publish("Secret", below=members)
    elsewhere = Page(title="Elsewhere", slug="elsewhere", first_published_at=NOW)
    Page.get_first_root_node().add_child(instance=elsewhere)
    publish("Roses")
    assert titles(run(digest, NOW).email) == ["Roses"]


def test_only_pages_below_another(digest, publish):
    garden = publish("Garden")
    publish("Roses", below=garden)
    publish("Bread")
    digest.below_page = garden.pk
    digest.save()
    assert titles(run(digest, NOW).email) == ["Roses"]


def test_a_page_that_is_gone_has_nothing_below_it(digest, publish):
    publish("Roses")
    digest.below_page = 12345
    digest.save()
    assert run(digest, NOW) is None


def test_the_newest_up_to_the_limits(digest, publish, template):
    for hours in range(1, 6):
        publish(f"Page {hours}", hours=hours)
    digest.max_pages = 2
    digest.save()
    assert titles(run(digest, NOW).email) == ["Page 1", "Page 2"]


def test_two_workers_send_one_issue(digest, publish):
    publish("Roses")
    stale = Digest.objects.get(pk=digest.pk)
    assert run(digest, NOW) is not None
    publish("Tulips", hours=0)
    assert run(stale, NOW) is None
    assert Mailing.objects.count() == 1


def test_two_presses_of_the_button_send_one_issue(digest, publish):
    publish("Roses")
    early = NOW - timedelta(minutes=30)
    stale = Digest.objects.get(pk=digest.pk)
    assert run(digest, early) is not None
    assert run(stale, early) is None
    digest.refresh_from_db()
    assert (digest.last_run_at, digest.next_run_at) == (early, NOW)


def test_an_audience_of_nobody_leaves_nothing_behind(digest, publish, news):
    publish("Roses")
    since = digest.pages_since
    news.subscriptions.all().delete()
    assert run(digest, NOW) is None
    digest.refresh_from_db()
    assert digest.last_result.startswith("Nothing sent: Nobody would get this")
    assert (digest.pages_since, digest.next_run_at) == (since, NOW + WEEK)
    assert not Mailing.objects.exists()
    assert Email.objects.count() == 1


def test_a_template_without_a_place_for_pages(digest, publish):
    publish("Roses")
    digest.template = make_email("No place")
    digest.save()
    assert run(digest, NOW) is None
    assert "no “Newest pages” block" in digest.last_result


def test_only_those_whose_time_has_come_are_run(digest, publish):
    publish("Roses")
    assert run_due_digests(NOW - timedelta(minutes=1)) == []
    Digest.objects.update(is_active=False)
    assert run_due_digests(NOW) == []
    Digest.objects.update(is_active=True)
    assert len(run_due_digests(NOW)) == 1
    assert run_due_digests(NOW) == []


def test_one_that_fails_does_not_stop_the_others(digest, publish, site, template, monkeypatch):
    publish("Roses")
    bad = Digest.objects.create(
        name="Bad", template=template, site=site, next_run_at=NOW, pages_since=NOW
    )
    issue = actions._issue

    def fail_once(digest, now):
        if digest.pk == bad.pk:
            raise RuntimeError("broken")
        return issue(digest, now)

    monkeypatch.setattr(actions, "_issue", fail_once)
    assert len(run_due_digests(NOW)) == 1
    bad.refresh_from_db()
    assert bad.next_run_at == NOW
    assert "failed" in bad.last_result


def test_a_preview_shows_the_newest_pages_as_an_example(publish, site, template):
    for hours in range(1, 6):
        publish(f"Page {hours}", hours=hours)
    html = render_email(template, site=site, unsubscribe_url="#").html
    assert [f"Page {n}" in html for n in range(1, 6)] == [True, True, True, False, False]


def test_an_email_with_the_block_is_sent_with_the_newest_of_that_moment(
    publish, site, template, news, digest
):
    publish("Roses")
    mailing = make_mailing(template, news, site=site, state=MailingState.PREPARING)
    work_on(mailing, seconds=30)
    assert "Roses" in mail.outbox[0].body


def test_the_newest_pages_cost_the_same_for_many(publish, site, django_assert_num_queries):
    for hours in range(1, 12):
        publish(f"Page {hours}", hours=hours)
    with django_assert_num_queries(2):
        assert len(newest_pages(site=site, limit=10)) == 10
