"""What editors put e-mails together from.

A host adds its own by naming a callable in the setting ``body_blocks``. A block may have a method
``problems(value) -> list[str]``: sentences about what is still missing before the mail can go out.
"""

from __future__ import annotations

from typing import Any

from django.utils.functional import cached_property
from django.utils.html import strip_tags
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import blocks
from wagtail.images.blocks import ImageChooserBlock
from wagtail.images.models import AbstractImage, AbstractRendition
from wagtail.images.shortcuts import get_rendition_or_not_found
from wagtail.models import Site

from ..conf import app_settings
from ..streams import BlockPairs
from .documents import AttachmentBlock
from .queries import newest_pages
from .sanitizing import sanitize_fragment

TEMPLATES = "wagtail_email_insights/emails/blocks"
PREVIEW_TEMPLATE = "wagtail_email_insights/emails/block_preview.html"
RICH_TEXT_FEATURES = ["h3", "bold", "italic", "link", "document-link", "ol", "ul"]

MAIL_WIDTH = 600
TEXT_WIDTH = 536
# Twice the width shown, for sharp pictures on dense screens.
RENDITION = "width-1200"
# Outlook's buttons need a width in pixels: an estimate from the number of letters.
PIXELS_PER_LETTER, BUTTON_PADDING = 9, 56

TEASER_TEXT_FIELDS = ("search_description", "introduction", "intro")
"""Where a teaser's text comes from when the editor gives none: the first that holds something."""

TEXT_GROUP = gettext_lazy("Text")
MEDIA_GROUP = gettext_lazy("Pictures and links")
LAYOUT_GROUP = gettext_lazy("Layout")


def body_blocks() -> BlockPairs:
    """Return the blocks of an e-mail's body, from the callable that the setting names."""
    return import_string(app_settings.body_blocks)()


def default_blocks() -> BlockPairs:
    """Return the blocks that come with the app; a starting point for a host's own list."""
    return [
        ("heading", HeadingBlock(group=TEXT_GROUP)),
        ("rich_text", MailTextBlock(group=TEXT_GROUP)),
        ("image", PictureBlock(group=MEDIA_GROUP)),
        ("button", ButtonBlock(group=MEDIA_GROUP)),
        ("attachment", AttachmentBlock(group=MEDIA_GROUP)),
        ("page_teaser", PageTeaserBlock(group=MEDIA_GROUP)),
        ("newest_pages", NewestPagesBlock(group=MEDIA_GROUP)),
        ("divider", DividerBlock(group=LAYOUT_GROUP)),
        ("raw_html", SafeHTMLBlock(group=LAYOUT_GROUP)),
    ]


def picture(image: AbstractImage, width: int) -> dict[str, Any]:
    """Return what a template needs to show *image* at most *width* pixels wide."""
    rendition: AbstractRendition = get_rendition_or_not_found(image, RENDITION)
    return {"image_url": rendition.url, "image_width": min(width, rendition.width or width)}


class HeadingBlock(blocks.StructBlock):
    text = blocks.CharBlock(label=gettext_lazy("Text"), max_length=200)
    size = blocks.ChoiceBlock(
        label=gettext_lazy("Size"),
        choices=[
            ("h1", gettext_lazy("Large")),
            ("h2", gettext_lazy("Medium")),
            ("h3", gettext_lazy("Small")),
        ],
        default="h2",
    )

    class Meta:
        icon = "title"
        label = gettext_lazy("Heading")
        label_format = "{text}"
        template = f"{TEMPLATES}/heading.html"
        preview_template = PREVIEW_TEMPLATE
        preview_value = {"text": gettext_lazy("News from the garden"), "size": "h1"}
        description = gettext_lazy("A headline in one of three sizes")


class MailTextBlock(blocks.RichTextBlock):
    def __init__(self, features: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(features=features or RICH_TEXT_FEATURES, **kwargs)

    class Meta:
        icon = "pilcrow"
        label = gettext_lazy("Text")
        template = f"{TEMPLATES}/rich_text.html"
        preview_template = PREVIEW_TEMPLATE
        preview_value = (
            "<p>The <b>first roses</b> are out. Come and see them, or <i>take some home</i>.</p>"
        )
        description = gettext_lazy("Paragraphs, lists and links")


class PictureBlock(blocks.StructBlock):
    image = ImageChooserBlock(label=gettext_lazy("Picture"))
    alt = blocks.CharBlock(
        label=gettext_lazy("Alternative text"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "Read out, and shown where pictures are blocked. Leave empty if the picture only "
            "decorates."
        ),
    )
    url = blocks.URLBlock(label=gettext_lazy("Link"), required=False)
    caption = blocks.CharBlock(label=gettext_lazy("Caption"), required=False, max_length=300)

    def get_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        context = super().get_context(value, parent_context=parent_context)
        if image := value.get("image"):
            context |= picture(image, MAIL_WIDTH)
            context["alt"] = value.get("alt") or getattr(image, "description", "")
        return context

    def problems(self, value: Any) -> list[str]:
        return [] if value.get("image") else [_("A picture is missing or was deleted.")]

    class Meta:
        icon = "image"
        label = gettext_lazy("Picture")
        template = f"{TEMPLATES}/image.html"
        description = gettext_lazy("A picture over the whole width, with a caption and a link")


class ButtonValue(blocks.StructValue):
    @cached_property
    def href(self) -> str:
        """Where the button leads; empty if it leads nowhere (yet, or its page is gone)."""
        page = self.get("page")
        return (page.get_url() if page else self.get("url")) or ""

    @property
    def outlook_width(self) -> int:
        return len(self.get("text") or "") * PIXELS_PER_LETTER + BUTTON_PADDING


class ButtonBlock(blocks.StructBlock):
    text = blocks.CharBlock(label=gettext_lazy("Text"), max_length=80)
    page = blocks.PageChooserBlock(label=gettext_lazy("Page"), required=False)
    url = blocks.URLBlock(
        label=gettext_lazy("Other address"),
        required=False,
        help_text=gettext_lazy("Used if no page is chosen."),
    )
    alignment = blocks.ChoiceBlock(
        label=gettext_lazy("Alignment"),
        choices=[
            ("left", gettext_lazy("Left")),
            ("center", gettext_lazy("Centre")),
            ("right", gettext_lazy("Right")),
        ],
        default="center",
    )
    do_not_track = blocks.BooleanBlock(
        label=gettext_lazy("Do not count clicks"),
        required=False,
        help_text=gettext_lazy("The address goes into the mail as it is."),
    )

    def problems(self, value: ButtonValue) -> list[str]:
        if value.href:
            return []
        return [_("The button “%(text)s” leads nowhere.") % {"text": value.get("text") or ""}]

    class Meta:
        icon = "link-external"
        label = gettext_lazy("Button")
        label_format = "{text}"
        template = f"{TEMPLATES}/button.html"
        value_class = ButtonValue
        preview_template = PREVIEW_TEMPLATE
        preview_value = {
            "text": gettext_lazy("Read more"),
            "url": "https://example.com/",
            "alignment": "center",
        }
        description = gettext_lazy("One clear call to do something")


class TeaserValue(blocks.StructValue):
    @cached_property
    def specific(self) -> Any:
        page = self.get("page")
        return page.specific if page else None

    @property
    def href(self) -> str:
        """The page's address; empty if it has none or is not published."""
        page = self.get("page")
        return (page.get_url() or "") if page and page.live else ""

    @cached_property
    def is_restricted(self) -> bool:
        """Whether the page stands behind a password or a log-in, or below one that does."""
        page = self.get("page")
        return bool(page) and page.get_view_restrictions().exists()

    @property
    def heading(self) -> str:
        return self.get("title") or (self.specific.title if self.specific else "")

    @property
    def summary(self) -> str:
        """The editor's own text, or the page's, as plain text."""
        if own := self.get("text"):
            return own
        found = (getattr(self.specific, name, "") for name in TEASER_TEXT_FIELDS)
        return next((strip_tags(str(text)).strip() for text in found if text), "")


class PageTeaserBlock(blocks.StructBlock):
    page = blocks.PageChooserBlock(label=gettext_lazy("Page"))
    title = blocks.CharBlock(
        label=gettext_lazy("Title"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Instead of the page's own."),
    )
    text = blocks.TextBlock(
        label=gettext_lazy("Text"),
        required=False,
        rows=3,
        help_text=gettext_lazy("Instead of the page's own description."),
    )
    image = ImageChooserBlock(label=gettext_lazy("Picture"), required=False)
    link_text = blocks.CharBlock(
        label=gettext_lazy("Link text"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("“Read more” if empty."),
    )

    def get_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        context = super().get_context(value, parent_context=parent_context)
        if image := value.get("image"):
            context |= picture(image, TEXT_WIDTH)
        return context

    def problems(self, value: TeaserValue) -> list[str]:
        if not value.get("page"):
            return [_("The page of a teaser is missing or was deleted.")]
        if not value.href:
            return [_("The page “%(page)s” is not published.") % {"page": value["page"]}]
        if value.is_restricted:
            return [
                _("The page “%(page)s” is not for everybody: it needs a password or a log-in.")
                % {"page": value["page"]}
            ]
        return []

    class Meta:
        icon = "doc-full"
        label = gettext_lazy("Page teaser")
        template = f"{TEMPLATES}/page_teaser.html"
        value_class = TeaserValue
        description = gettext_lazy("Title, description and link of one of your pages")


class NewestPagesBlock(blocks.StructBlock):
    """A place for the newest pages of the site: those of the moment when the mail is made.

    A recurring digest puts teasers of what is new since its last run in its stead.
    """

    number = blocks.IntegerBlock(
        label=gettext_lazy("At most so many pages"), min_value=1, max_value=50, default=5
    )

    def get_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        context = super().get_context(value, parent_context=parent_context)
        site = context.get("site") or Site.objects.filter(is_default_site=True).first()
        pages = newest_pages(site=site, limit=value.get("number") or 1)
        teaser = PageTeaserBlock()
        context["teasers"] = [teaser.normalize({"page": page}) for page in pages]
        return context

    class Meta:
        icon = "list-ul"
        label = gettext_lazy("Newest pages")
        template = f"{TEMPLATES}/newest_pages.html"
        description = gettext_lazy("Teasers of the newest pages; for recurring digests")


class DividerBlock(blocks.StaticBlock):
    class Meta:
        icon = "minus"
        label = gettext_lazy("Divider")
        admin_text = gettext_lazy("A thin line.")
        template = f"{TEMPLATES}/divider.html"
        preview_template = PREVIEW_TEMPLATE
        preview_value = None
        description = gettext_lazy("A thin line between two parts")


class SafeHTMLBlock(blocks.RawHTMLBlock):
    """HTML written by hand. Kept as written, made safe whenever it is shown."""

    def render_basic(self, value: Any, context: Any = None) -> SafeString:
        return mark_safe(sanitize_fragment(str(value)))

    class Meta:
        icon = "code"
        label = gettext_lazy("HTML")
        preview_template = PREVIEW_TEMPLATE
        preview_value = '<p style="color: #b45309;">Your own <b>HTML</b>.</p>'
        description = gettext_lazy("HTML written by hand; scripts and forms are removed")
