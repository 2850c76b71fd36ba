from __future__ import annotations

import re

import pytest

from tests.admin.statistics_world import address, happen, link_of, readers, send, text_of
from tests.factories import make_email
from wagtail_email_insights.admin import painting
from wagtail_email_insights.admin.painting import Badge
from wagtail_email_insights.mailings.models import MailingContent
from wagtail_email_insights.sending import actions, experiments
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.statistics.breakdowns import LinkSlice
from wagtail_email_insights.tracking.models import TrackedLink

SHEET = "https://site.example/static/click_map.css"


def badge(clicked: int = 2, share: float | None = 0.4, url: str = "/people/") -> Badge:
    part = LinkSlice("https://example.com/", (1,), "link", clicked, clicked + 1, share)
    return Badge(part, url)


def painted(html: str, badges: dict[int, Badge] | None = None) -> str:
    return painting.paint(MailingContent(html=html), badges or {}, SHEET)


def test_a_badge_stands_inside_its_link_which_leads_to_the_contacts():
    html = painted('<a class="b" href="{{ link_0 }}">Go</a>', {0: badge()})
    assert (
        '<a target="_top" class="b" href="/people/"><span class="wei-badge wei-badge--warm">'
        "2 readers · 3 clicks · 40.0 %</span>Go</a>"
    ) in html


def test_a_link_that_stands_twice_has_its_badge_twice():
    link = '<a href="{{ link_3 }}">Go</a>'
    assert painted(link + link, {3: badge()}).count("wei-badge--") == 2


def test_other_links_lead_nowhere():
    html = painted(
        '<a href="{{ unsubscribe_url }}">Leave</a><a href="mailto:a@b.example">Write</a>'
        '<a href="{{ link_9 }}">Unknown</a>',
        {0: badge()},
    )
    assert html.count('href="#"') == 3
    assert "wei-badge" not in html
    assert "mailto" not in html


def test_without_the_right_to_see_contacts_a_badge_is_only_painted():
    html = painted('<a href="{{ link_0 }}">Go</a>', {0: badge(url="")})
    assert "wei-badge" in html
    assert 'href="#"' in html
    assert "_top" not in html


def test_merge_tags_show_their_fall_backs_and_the_pixel_nothing():
    html = painted('<p>Dear {{ first_name|default:"reader" }}{{ last_name }}.</p>{{ open_pixel }}')
    assert html.endswith("<p>Dear reader.</p>")


@pytest.mark.parametrize(
    ("clicked", "share", "heat"),
    [
        (0, 0.0, "none"),
        (0, None, "none"),
        (1, 0.01, "cool"),
        (1, 0.05, "mild"),
        (1, 0.2, "warm"),
        (1, 1.0, "hot"),
    ],
)
def test_heat_goes_by_the_share_of_all_who_clicked(clicked, share, heat):
    assert badge(clicked, share).heat == heat


def test_the_frame_allows_pictures_and_styles_and_nothing_else():
    policy = painting.policy(stylesheet=SHEET, base_urls=["https://news.example/x/"])
    assert policy.startswith("default-src 'none'; ")
    assert "img-src 'self' data: https://news.example https://site.example;" in policy
    assert "script" not in policy
    assert "sandbox allow-top-navigation-by-user-activation" in policy


def test_colours_are_explained_for_links_and_attachments_alike():
    """The share in a badge of an attachment is not of those who clicked."""
    assert not [meaning for _heat, meaning in painting.LEGEND if "click" in str(meaning)]


@pytest.mark.django_db
class TestClickMap:
    @pytest.fixture
    def mailing(self):
        return send(None, readers())

    def frame(self, client, mailing, query: str = "") -> str:
        return text_of(client.get(address("click_map_frame", mailing.email_id) + query))

    def test_the_sent_email_shows_readers_and_clicks_at_each_link(self, admin_client, mailing):
        happen(mailing, "ann")
        happen(mailing, "ann")
        happen(mailing, "dan")
        html = self.frame(admin_client, mailing)
        assert "2 readers · 3 clicks · 100.0 %" in html
        assert "0 readers · 0 clicks · 0.0 %" in html
        assert f"link={link_of(mailing).pk}" in html
        assert "link_0" not in html

    def test_nobodys_name_or_address_is_in_it(self, admin_client, mailing):
        happen(mailing, "ann")
        assert "@example.org" not in self.frame(admin_client, mailing)

    def test_it_may_be_framed_by_us_and_runs_nothing(self, admin_client, mailing):
        answer = admin_client.get(address("click_map_frame", mailing.email_id))
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "no-store" in answer["Cache-Control"]

    def test_the_page_has_the_same_numbers_as_a_table(self, admin_client, mailing):
        happen(mailing, "ann")
        html = text_of(admin_client.get(address("click_map", mailing.email_id)))
        assert re.search(r'<iframe [^>]*sandbox="allow-top-navigation-by-user-activation"', html)
        assert link_of(mailing).url.replace("&", "&amp;") in html
        assert "The colour of a badge goes by the share that stands in it" in html
        assert "its share of everybody who opened one" in html

    def test_each_variant_of_a_test_has_a_map_of_its_own(self, admin_client):
        other = make_email("Other", body=[("button", {"text": "B", "url": "https://b.example/"})])
        mailing = send_test(other)
        happen(mailing, "ann", link=TrackedLink.objects.get(url="https://b.example/"), variant=2)
        html = text_of(admin_client.get(address("click_map", mailing.email_id)))
        assert "Variant B" in html
        assert "1 reader" not in self.frame(admin_client, mailing)
        assert "1 reader · 1 click" in self.frame(admin_client, mailing, "?variant=2")

    def test_before_sending_there_is_none(self, admin_client):
        assert admin_client.get(address("click_map", make_email().pk)).status_code == 404


def send_test(other):
    from tests.factories import make_mailing

    mailing = make_mailing(make_email(), readers())
    experiments.set_variants(mailing, [("", None), ("", other)])
    mailing.test_share = 100
    mailing.save()
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    mailing.refresh_from_db()
    return mailing
