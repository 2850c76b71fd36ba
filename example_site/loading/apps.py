from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoadingConfig(AppConfig):
    name = "example_site.loading"
    label = "loading"
    verbose_name = _("Demonstration content")
