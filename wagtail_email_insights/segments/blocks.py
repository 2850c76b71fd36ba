"""Form blocks that conditions are made of, and the bracketed group of conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import Block, BooleanBlock, ChoiceBlock, ChooserBlock, StreamBlock, StructBlock

StrOrPromise = str | Promise


class NegationBlock(ChoiceBlock):
    """A boolean told in words: "is subscribed" or "is not subscribed". True is the negation."""

    def __init__(self, affirmed: StrOrPromise, negated: StrOrPromise, **kwargs: Any) -> None:
        kwargs.setdefault("default", False)
        super().__init__(choices=[("no", affirmed), ("yes", negated)], **kwargs)

    def value_for_form(self, value: Any) -> str:
        return "yes" if value else "no"

    def value_from_form(self, value: Any) -> bool:
        return value == "yes"

    def get_searchable_content(self, value: Any) -> list[str]:
        return []


class KeepsMissing:
    """Mixin for chooser blocks: a chosen row that was deleted stays chosen, it does not vanish.

    Often an empty choice means "any", and a rule must not grow because something it names was
    deleted. The stand-in is an unsaved instance with the old key; ``is_missing`` tells.
    """

    model_class: type[Model]

    def to_python(self, value: Any) -> Model | None:
        return super().to_python(value) or self._stand_in(value)  # type: ignore[misc]

    def bulk_to_python(self, values: Sequence[Any]) -> list[Model | None]:
        found = super().bulk_to_python(values)  # type: ignore[misc]
        return [row or self._stand_in(key) for row, key in zip(found, values, strict=True)]

    def _stand_in(self, key: Any) -> Model | None:
        return None if key is None else self.model_class(pk=key)


def is_missing(row: Model) -> bool:
    """Tell whether *row* stands in for one that was deleted."""
    return row._state.adding


class RowChoiceBlock(KeepsMissing, ChooserBlock):
    """A drop-down with the rows of a small model."""

    widget = forms.Select()

    def __init__(self, target_model: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_model = target_model

    def get_form_state(self, value: Model | int | None) -> str:
        key = value.pk if isinstance(value, Model) else value
        return "" if key is None else str(key)


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
