"""What the editor of an e-mail tells about merge tags."""

from __future__ import annotations

from typing import Any

from wagtail.admin.panels import HelpPanel

from ..emails import merge_tags


class MergeTagsHelp(HelpPanel):
    """Lists the tags that are known, from the table that reads them."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("template", "wagtail_email_insights/admin/emails/merge_tags_help.html")
        super().__init__(**kwargs)

    class BoundPanel(HelpPanel.BoundPanel):
        names = merge_tags.NAMES
        opening, closing = merge_tags.OPENING, merge_tags.CLOSING
