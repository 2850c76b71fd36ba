"""The pages of a small botanical garden."""

# ruff: noqa: DJ008  a Page already says its title

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.models import Page

from wagtail_email_insights.streams import LazyStreamField

from .blocks import page_blocks


class PictureAndIntro(models.Model):
    """What stands at the head of a page and on the cards that lead to it."""

    intro = models.TextField(_("introduction"), blank=True)
    image = models.ForeignKey(
        "wagtailimages.Image",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("image"),
    )

    class Meta:
        abstract = True


class HomePage(PictureAndIntro, Page):
    """The front page; a card leads to each content page below it."""

    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["home.ContentPage", "home.SubscribePage"]
    max_count = 1
    content_panels = [*Page.content_panels, FieldPanel("intro"), FieldPanel("image")]

    class Meta:
        verbose_name = _("home page")

    @property
    def cards(self) -> models.QuerySet:
        return ContentPage.objects.child_of(self).live().select_related("image")

    @property
    def subscribe_page(self) -> SubscribePage | None:
        return SubscribePage.objects.child_of(self).live().first()


class ContentPage(PictureAndIntro, Page):
    """Something to read about the garden."""

    body = LazyStreamField(page_blocks, verbose_name=_("body"), blank=True)

    parent_page_types = ["home.HomePage", "home.ContentPage"]
    subpage_types = ["home.ContentPage"]
    content_panels = [
        *Page.content_panels,
        FieldPanel("intro"),
        FieldPanel("image"),
        FieldPanel("body"),
    ]

    class Meta:
        verbose_name = _("content page")


class SubscribePage(PictureAndIntro, Page):
    """Where visitors sign up for the garden's letters."""

    body = LazyStreamField(page_blocks, verbose_name=_("body"), blank=True)

    parent_page_types = ["home.HomePage"]
    subpage_types: list[str] = []
    content_panels = [
        *Page.content_panels,
        FieldPanel("intro"),
        FieldPanel("image"),
        FieldPanel("body"),
    ]

    class Meta:
        verbose_name = _("subscribe page")
