"""The conditions that segments can be made of.

A package or a host site adds one by subclassing ``Condition`` and calling ``register`` from its
``AppConfig.ready`` (or any module imported there). Segments know nothing of what they ask about.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q
from wagtail.blocks import Block


class Condition:
    """One thing a segment can ask about a contact.

    ``code`` names the condition in stored segments and must never change. ``block`` is the form
    an editor fills in; its value reaches the three methods below. Who is in a segment is shown
    only to those who hold ``needs_permission``, for what the condition gives away about a contact.
    """

    code: ClassVar[str]
    needs_permission: ClassVar[str | None] = None

    @classmethod
    def block(cls) -> Block:
        """Return the form block for this condition."""
        raise NotImplementedError

    @classmethod
    def to_q(cls, value: Any) -> Q:
        """Return the condition as a filter on Contact; one query part, nothing per contact."""
        raise NotImplementedError

    @classmethod
    def sentence(cls, value: Any) -> str:
        """Say the condition in words for the screen, for example "clicked any link …"."""
        raise NotImplementedError


_conditions: dict[str, type[Condition]] = {}


def register(condition: type[Condition]) -> type[Condition]:
    """Make *condition* available to editors; usable as a class decorator."""
    existing = _conditions.setdefault(condition.code, condition)
    if existing is not condition:
        raise ValueError(f"segment condition {condition.code!r} is registered twice")
    return condition


def get_condition(code: str) -> type[Condition]:
    """Return the registered condition; raises KeyError when its package was removed."""
    return _conditions[code]


def condition_blocks() -> list[tuple[str, Block]]:
    """Return the ``(name, block)`` pairs of a segment's StreamField."""
    from .blocks import ConditionGroupBlock

    pairs = [(code, condition.block()) for code, condition in _conditions.items()]
    return [*pairs, ("group", ConditionGroupBlock(pairs))]
