from __future__ import annotations

import gc
import warnings

import pytest
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Page, Site

from wagtail_email_insights.emails.blocks import RENDITION
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
def make_image(db, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    settings.MEDIA_URL = "/media/"

    def make(width: int):
        model = get_image_model()
        # Wagtail leaves files open when it makes a rendition: made here, where that is forgiven.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            file = get_test_image_file(size=(width, width // 2))
            made = model.objects.create(title="A rose", file=file)
            made.get_rendition(RENDITION)
            pk = made.pk
            del made
            gc.collect()
        return model.objects.get(pk=pk)

    return make


@pytest.fixture
def image(make_image):
    return make_image(1600)
