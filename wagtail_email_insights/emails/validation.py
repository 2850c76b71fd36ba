"""Whether an e-mail can go out as it is. Drafts may be saved unfinished, so sending asks here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from . import merge_tags
from .models import Email


def problems_with(email: Email) -> list[str]:
    """Return a sentence for each thing that must be put right first; none when all is well."""
    found = [*_subject_problems(email), *_block_problems(email), *_merge_tag_problems(email)]
    return list(dict.fromkeys(found))


def _subject_problems(email: Email) -> Iterator[str]:
    if not email.subject.strip():
        yield _("The subject is empty.")


def _block_problems(email: Email) -> Iterator[str]:
    if not len(email.body):
        yield _("The e-mail has no content.")
    for child in email.body:
        # Blocks of a host need not know about problems.
        if ask := getattr(child.block, "problems", None):
            yield from ask(child.value)


def _merge_tag_problems(email: Email) -> Iterator[str]:
    for text in (email.subject, email.preheader, *_strings(email.body.get_prep_value())):
        yield from merge_tags.problems(text)


def _strings(value: Any) -> Iterator[str]:
    """Yield every text in the stored form of a body, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
