"""A StreamField whose blocks come from a callable, so that a host can add its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import models
from django.utils.functional import cached_property
from wagtail.blocks import Block, StreamBlock
from wagtail.fields import StreamField

BlockPairs = Sequence[tuple[str, Block]]


class LazyStreamField(StreamField):
    """StreamField that asks *blocks* for its ``(name, block)`` pairs when first used.

    Migrations carry no block list: another list of blocks is no change of the database, so a host
    that extends the blocks gets no migration inside this package.
    """

    def __init__(self, blocks: Callable[[], BlockPairs] = list, **kwargs: Any) -> None:
        self._blocks = blocks
        super().__init__([], **kwargs)

    @cached_property
    def stream_block(self) -> StreamBlock:
        block = StreamBlock(list(self._blocks()))
        block.set_meta_options(self.block_opts)
        return block

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, _args, kwargs = models.Field.deconstruct(self)
        return name, path, [], kwargs
