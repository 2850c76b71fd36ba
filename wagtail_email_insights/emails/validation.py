"""Whether an e-mail can go out as it is. Drafts may be saved unfinished, so sending asks here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from . import addresses, merge_tags
from .models import Email
from .nesting import every_block


def problems_with(email: Email) -> list[str]:
    """Return a sentence for each thing that must be put right first; none when all is well."""
    found = [
        *_subject_problems(email),
        *_block_problems(email),
        *_merge_tag_problems(email),
        *_address_problems(email),
    ]
    return list(dict.fromkeys(found))


def _subject_problems(email: Email) -> Iterator[str]:
    if not email.subject.strip():
        yield _("The subject is empty.")


def _block_problems(email: Email) -> Iterator[str]:
    if not len(email.body):
        yield _("The e-mail has no content.")
    for block, value in every_block(email.body):
        # Blocks of a host need not know about problems.
        if ask := getattr(block, "problems", None):
            yield from ask(value)


def _merge_tag_problems(email: Email) -> Iterator[str]:
    for text in (email.subject, email.preheader, *_strings(email.body.get_prep_value())):
        yield from merge_tags.problems(text)


def _address_problems(email: Email) -> Iterator[str]:
    """Look at the body as it is shown: only there is plain which text ends up in an address."""
    if not any(merge_tags.OPENING in text for text in _strings(email.body.get_prep_value())):
        return
    for address in addresses.unsettled(email.body.render_as_block()):
        yield _(
            "“%(address)s” cannot be a link: in an address a merge tag may only come after the "
            "beginning, as in https://example.com/?for={{ email }}."
        ) % {"address": address}


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
