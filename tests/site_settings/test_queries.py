from __future__ import annotations

from email.headerregistry import Address

import pytest
from wagtail.models import Site

from wagtail_email_insights.site_settings.models import EmailSettings
from wagtail_email_insights.site_settings.queries import base_url, sender


@pytest.fixture
def site(db) -> Site:
    site = Site.objects.get(is_default_site=True)
    site.hostname, site.port = "www.example.org", 443
    site.save()
    return site


@pytest.fixture
def email_settings(site) -> EmailSettings:
    settings = EmailSettings.for_site(site)
    settings.from_name, settings.from_email = "Garden News", "news@garden.example"
    settings.save()
    return settings


def test_links_lead_to_the_site_unless_told_otherwise(site, email_settings):
    assert base_url(site) == "https://www.example.org"
    email_settings.base_url = "https://news.example.org/"
    email_settings.save()
    assert base_url(site) == "https://news.example.org"


def test_without_a_site_the_admin_address_serves(settings):
    settings.WAGTAILADMIN_BASE_URL = "https://admin.example.org"
    assert base_url(None) == "https://admin.example.org"


def test_sender_with_name(site, email_settings):
    assert sender(site) == "Garden News <news@garden.example>"


@pytest.mark.parametrize("name", ['Müller, "A" & Co', "Röse\n News", "a@b", "日本"])
def test_any_name_can_be_read_back(site, email_settings, name):
    email_settings.from_name = name
    email_settings.save()
    text = sender(site)
    assert "\n" not in text
    assert text.endswith("<news@garden.example>")
    assert str(Address(" ".join(name.split()), addr_spec="news@garden.example")) == text


def test_the_default_sender_stands_in(site, settings):
    settings.DEFAULT_FROM_EMAIL = "Ours <ours@example.org>"
    assert sender(site) == "Ours <ours@example.org>"
    assert sender(None) == "Ours <ours@example.org>"


def test_a_name_of_the_site_goes_before_the_default_address(site, email_settings, settings):
    settings.DEFAULT_FROM_EMAIL = "ours@example.org"
    email_settings.from_email = ""
    email_settings.save()
    assert sender(site) == "Garden News <ours@example.org>"
