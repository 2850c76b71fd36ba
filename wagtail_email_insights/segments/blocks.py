"""Form block for a bracketed group of conditions."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import Block, BooleanBlock, ChoiceBlock, StreamBlock, StructBlock


class ConditionGroupBlock(StructBlock):
    """All or any of several conditions, or the opposite; groups do not nest further."""

    def __init__(self, conditions: Sequence[tuple[str, Block]], **kwargs: object) -> None:
        super().__init__(
            [
                (
                    "match",
                    ChoiceBlock(
                        choices=[
                            ("all", _("all of these are true")),
                            ("any", _("any of these is true")),
                        ],
                        default="any",
                        label=_("The group holds when"),
                    ),
                ),
                (
                    "negate",
                    BooleanBlock(required=False, label=_("Turn round: the group must not hold")),
                ),
                ("conditions", StreamBlock(conditions, label=_("Conditions"))),
            ],
            **kwargs,
        )

    class Meta:
        icon = "folder-open-inverse"
        label = _("Group of conditions")
