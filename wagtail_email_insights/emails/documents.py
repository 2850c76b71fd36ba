"""A followed attachment: the document stays on the site, the mail holds a row that leads to it.

The row is an ordinary link that says whose it is: ``data-attachment`` names the document,
``data-attachment-days`` how long it may be fetched. Whoever sends turns such links into tracked
ones; wherever nobody does, they lead to the document's own address.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import blocks
from wagtail.documents.blocks import DocumentChooserBlock

LONGEST_DAYS = 3650


class AttachmentValue(blocks.StructValue):
    @property
    def href(self) -> str:
        """The document's own address; empty while none is chosen or after it was deleted."""
        document = self.get("document")
        return document.url if document else ""

    @property
    def file_type(self) -> str:
        """The ending of the file name as people write it: ``PDF``."""
        return self["document"].file_extension.upper()

    @property
    def size(self) -> int | None:
        """Bytes; None where the file is missing."""
        return self["document"].get_file_size()


class AttachmentBlock(blocks.StructBlock):
    document = DocumentChooserBlock(
        label=gettext_lazy("Document"),
        help_text=gettext_lazy(
            "It stays on the site and readers open it from there, so it makes the e-mail no "
            "heavier. Whoever has to log in or know a password for its collection still has to."
        ),
    )
    text = blocks.CharBlock(
        label=gettext_lazy("Text"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Stands below the title."),
    )
    days = blocks.IntegerBlock(
        label=gettext_lazy("Available for so many days after sending"),
        required=False,
        min_value=1,
        max_value=LONGEST_DAYS,
        help_text=gettext_lazy(
            "After that the e-mail's link says that the time is over. The document itself stays "
            "on the site, and copies that are sent without any counting lead straight to it: to "
            "protect a document, restrict its collection. Empty: no limit."
        ),
    )

    def problems(self, value: AttachmentValue) -> list[str]:
        if value.get("document"):
            return []
        return [_("The document of an attachment is missing or was deleted.")]

    class Meta:
        icon = "doc-full-inverse"
        label = gettext_lazy("Attachment")
        label_format = "{document}"
        template = "wagtail_email_insights/emails/blocks/attachment.html"
        value_class = AttachmentValue
        description = gettext_lazy("A document to open, with its title, type and size")
