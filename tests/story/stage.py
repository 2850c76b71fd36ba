"""Sets the scene: an editor, a list, a consent and a site that knows its address."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from wagtail.models import Site

from tests.factories import make_list, tracking_wording
from wagtail_email_insights.site_settings.models import EmailSettings

EDITOR = "editor"
PASSWORD = "correct horse battery staple"
SENDER = "letters@example.org"


def set_up() -> None:
    """Create what has to be there before anybody can subscribe or write."""
    get_user_model().objects.create_superuser(EDITOR, "editor@example.org", PASSWORD)
    make_list("News", slug="news", double_opt_in=True)
    tracking_wording()
    site = Site.objects.get(is_default_site=True)
    address = urlsplit(settings.WAGTAILADMIN_BASE_URL)
    site.hostname, site.port = address.hostname, address.port
    site.site_name = "The Story"
    site.save()
    EmailSettings.objects.create(site=site, from_name="The Story", from_email=SENDER)
