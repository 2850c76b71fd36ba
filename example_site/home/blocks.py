"""What a page of the garden is made of."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import Block, CharBlock, RichTextBlock, StructBlock
from wagtail.images.blocks import ImageChooserBlock

from wagtail_email_insights.subscriptions.blocks import SubscribeFormBlock

TEXT_FEATURES = ["h2", "h3", "bold", "italic", "link", "ol", "ul"]


class PictureBlock(StructBlock):
    """A picture with a line below it."""

    image = ImageChooserBlock(label=_("Image"))
    caption = CharBlock(required=False, label=_("Caption"))

    class Meta:
        icon = "image"
        label = _("Picture")
        template = "home/picture_block.html"


def page_blocks() -> list[tuple[str, Block]]:
    return [
        ("text", RichTextBlock(label=_("Text"), features=TEXT_FEATURES)),
        ("picture", PictureBlock()),
        ("subscribe_form", SubscribeFormBlock()),
    ]
