from __future__ import annotations

import pytest
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Page, Site

from wagtail_email_insights.site_settings.models import EmailSettings


@pytest.fixture
def site(db) -> Site:
    site = Site.objects.get(is_default_site=True)
    site.hostname, site.port, site.site_name = "www.example.org", 443, "The Garden"
    site.save()
    return site


@pytest.fixture
def email_settings(site) -> EmailSettings:
    settings = EmailSettings.for_site(site)
    settings.from_name = "Garden News"
    settings.from_email = "news@garden.example"
    settings.postal_address = "1 Rose Lane\nKew"
    settings.save()
    return settings


@pytest.fixture
def page(site) -> Page:
    page = Page(title="Roses & thorns", slug="roses", search_description="All about roses.")
    return site.root_page.add_child(instance=page)


@pytest.fixture
def image(db, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    settings.MEDIA_URL = "/media/"
    return get_image_model().objects.create(
        title="A rose", file=get_test_image_file(size=(1600, 800))
    )
