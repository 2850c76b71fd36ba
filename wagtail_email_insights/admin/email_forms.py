"""The form behind the e-mail editor."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.blocks import RawHTMLBlock, StreamValue

from ..emails.nesting import every_block
from .permissions import USE_RAW_HTML, has


class EmailForm(WagtailAdminModelForm):
    """Refuses raw HTML from editors who may not write it; what stood there before may stay."""

    def clean_body(self) -> StreamValue:
        body: StreamValue = self.cleaned_data["body"]
        if not has(self.for_user, USE_RAW_HTML) and _raw_html(body) - _raw_html(self.initial_body):
            raise ValidationError(_("You are not allowed to add or change raw HTML."))
        return body

    @property
    def initial_body(self) -> Any:
        return self.initial.get("body") or self.instance.body


def _raw_html(body: Any) -> Counter[str]:
    """Count each piece of raw HTML, under whatever name and however deep it stands."""
    return Counter(
        str(value) for block, value in every_block(body) if isinstance(block, RawHTMLBlock)
    )
