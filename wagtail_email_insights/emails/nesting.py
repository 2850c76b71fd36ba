"""Going through the blocks of a body, however deep they stand in one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wagtail.blocks import BaseStreamBlock, BaseStructBlock, Block, ListBlock

Filled = tuple[Block, Any]


def every_block(stream: Any) -> Iterator[Filled]:
    """Yield each block below *stream*, a StreamValue, with what it holds; outer ones first."""
    for child in stream or ():
        yield from _with_inner(child.block, child.value)


def _with_inner(block: Block, value: Any) -> Iterator[Filled]:
    yield block, value
    for inner in _inner(block, value):
        yield from _with_inner(inner.block, inner.value)


def _inner(block: Block, value: Any) -> Iterator[Any]:
    if not value:
        return
    if isinstance(block, BaseStreamBlock):
        yield from value
    elif isinstance(block, BaseStructBlock):
        yield from value.bound_blocks.values()
    elif isinstance(block, ListBlock):
        yield from value.bound_blocks
