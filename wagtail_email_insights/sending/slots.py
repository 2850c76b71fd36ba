"""What stands where two copies of a mail differ: tracked links, pixel, web version, trap link.

Each is an address around a token. The content holds a tag for it, ``{{ link_0 }}`` or
``{{ open_pixel }}``; here is what the tag becomes.
"""

from __future__ import annotations

import html as entities
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .. import tokens
from ..emails.merge_tags import MergeTag, parse
from ..mailings.models import MailingContent
from ..tokens import Kind, Maker
from ..tracking.models import TrackedLink
from .addresses import Addresses

PIXEL = '<img src="{}" width="1" height="1" alt="" style="border:0">'
# Nobody sees it, hears of it or comes upon it with the keyboard. Not "display:none" alone: what is
# plainly hidden is passed over by the programs it is meant for.
TRAP = (
    '<a href="{}" aria-hidden="true" tabindex="-1" style="display:block;width:1px;height:1px;'
    "margin:0 0 -1px;overflow:hidden;font-size:0;line-height:0;opacity:0;color:transparent;"
    'text-decoration:none;pointer-events:none;mso-hide:all">&#8203;</a>'
)
OPEN_PIXEL_TAG = "open_pixel"
TRAP_TAG = "trap"
WEB_VERSION_TAG = "web_version_url"
MARKUP_TAGS = frozenset({OPEN_PIXEL_TAG, TRAP_TAG})
"""Tags that stand for a whole element; the others for an address."""


@dataclass(frozen=True, eq=False)
class TokenSlot:
    """An address with a token in it: the same but for the token in every copy."""

    maker: Maker
    before: str
    after: str
    tail: bytes = b""
    is_markup: bool = False

    def token(self, key: bytes) -> bytes:
        return self.maker.token(key + self.tail)

    def text(self, key: bytes) -> str:
        return f"{self.before}{self.token(key).decode()}{self.after}"


Slots = Mapping[str, TokenSlot | str]


class _Kinds(NamedTuple):
    click: Kind
    file: Kind
    open: Kind
    web_version: Kind
    trap: Kind


_IDENTIFIED = _Kinds(Kind.CLICK, Kind.FILE, Kind.OPEN, Kind.WEB_VERSION, Kind.TRAP)
_ANONYMOUS = _Kinds(
    Kind.CLICK_ANONYMOUS,
    Kind.FILE_ANONYMOUS,
    Kind.OPEN_ANONYMOUS,
    Kind.WEB_VERSION_ANONYMOUS,
    Kind.TRAP_ANONYMOUS,
)


def identified_slots(content: MailingContent, links: Iterable[TrackedLink]) -> Slots:
    """Return the slots of copies whose tokens carry the delivery."""
    return _tracked(content, links, _IDENTIFIED)


def anonymous_slots(content: MailingContent, links: Iterable[TrackedLink]) -> Slots:
    """Return the slots of copies that lead to nobody, by how the mailing counts those."""
    if content.anonymous_counting == "off":
        return _plain(content, links)
    slots = _tracked(content, links, _ANONYMOUS)
    # A trap that all copies share would not tell which of them a machine had read.
    return {**slots, TRAP_TAG: ""} if content.anonymous_counting == "shared" else slots


def texts(slots: Slots, key: bytes) -> dict[str, str]:
    """Return what stands in each slot of the copy with that key."""
    return {name: slot if isinstance(slot, str) else slot.text(key) for name, slot in slots.items()}


def filled(text: str, values: Mapping[str, str], *, escape: bool) -> str:
    """Put *values* in; *escape* them where *text* is HTML, but for those that are markup."""

    def encode(tag: MergeTag) -> str:
        value = tag.value(values)
        return entities.escape(value) if escape and tag.name not in MARKUP_TAGS else value

    return "".join(encode(piece) if isinstance(piece, MergeTag) else piece for piece in parse(text))


def _tracked(content: MailingContent, links: Iterable[TrackedLink], kinds: _Kinds) -> Slots:
    addresses = Addresses(content.base_url)
    slots: dict[str, TokenSlot | str] = {
        f"link_{link.position}": _link_slot(link, addresses, kinds) for link in links
    }

    def about_mailing(kind: Kind, before: str, after: str, *, is_markup: bool) -> TokenSlot:
        maker, variant = Maker(kind, content.mailing_id), tokens.values(content.variant)
        return TokenSlot(maker, before, after, variant, is_markup)

    pixel = _around(PIXEL, addresses.around("open"))
    trap = _around(TRAP, addresses.around("trap"))
    web_version = addresses.around("web_version")
    return slots | {
        OPEN_PIXEL_TAG: about_mailing(kinds.open, *pixel, is_markup=True),
        TRAP_TAG: about_mailing(kinds.trap, *trap, is_markup=True),
        WEB_VERSION_TAG: about_mailing(kinds.web_version, *web_version, is_markup=False),
    }


def _link_slot(link: TrackedLink, addresses: Addresses, kinds: _Kinds) -> TokenSlot:
    if link.document_id is None:
        return TokenSlot(Maker(kinds.click, link.pk), *addresses.around("click"))
    return TokenSlot(Maker(kinds.file, link.pk), *addresses.around("file"))


def _plain(content: MailingContent, links: Iterable[TrackedLink]) -> Slots:
    """Return what stands in copies that are not counted at all: the editor's own addresses."""
    nobody = tokens.make(_ANONYMOUS.web_version, content.mailing_id, 0, content.variant)
    web_version = nobody.join(Addresses(content.base_url).around("web_version"))
    own = {f"link_{link.position}": link.url for link in links}
    return own | {OPEN_PIXEL_TAG: "", TRAP_TAG: "", WEB_VERSION_TAG: web_version}


def _around(markup: str, address: tuple[str, str]) -> tuple[str, str]:
    before, after = markup.format("\0".join(address)).split("\0")
    return before, after
