from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from wagtail.models import Page, Site

from tests.factories import make_contact, make_email, make_list, subscribe
from wagtail_email_insights.digests.models import Digest

NOW = datetime(2026, 6, 5, 8, 0, tzinfo=UTC)


@pytest.fixture
def site(db):
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def publish(site):
    """``publish("Roses", hours=2)``: a page first published two hours before NOW."""

    def make(title: str, *, hours: float = 1, below: Page | None = None, **fields) -> Page:
        page = Page(title=title, slug=title.lower().replace(" ", "-"), **fields)
        (below or site.root_page).add_child(instance=page)
        Page.objects.filter(pk=page.pk).update(first_published_at=NOW - timedelta(hours=hours))
        page.refresh_from_db()
        return page

    return make


@pytest.fixture
def news():
    return make_list("News")


@pytest.fixture
def template(db):
    body = [
        ("heading", {"text": "What is new", "size": "h1"}),
        ("newest_pages", {"number": 3}),
        ("rich_text", "<p>Goodbye</p>"),
    ]
    return make_email("Weekly template", subject="The week", preheader="Read on", body=body)


@pytest.fixture
def digest(site, news, template):
    subscribe(make_contact("ann@example.org"), news)
    digest = Digest.objects.create(
        name="Weekly",
        template=template,
        site=site,
        rhythm="weekly",
        next_run_at=NOW,
        pages_since=NOW - timedelta(days=7),
    )
    digest.recipient_lists.add(news)
    return digest
