"""The contacts behind a number: those who may be known, and what can be made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _
from wagtail.admin.paginator import WagtailPaginator

from ..contacts.gathering import reachable
from ..contacts.models import Contact, RecipientList
from ..segments.models import Segment
from ..segments.queries import unknown_conditions
from ..statistics import breakdowns, people
from ..statistics.breakdowns import LinkSlice
from ..statistics.curves import Unit, span_of
from ..statistics.people import Behind
from ..tracking import recording
from ..tracking.models import Scope
from . import followups
from .addresses import contact_url
from .answers import Answer
from .permissions import VIEW_ACTIVITIES, VIEW_STATISTICS, has
from .questions import IN_ANY_CASE, IN_ROWS, NUMBERS, PARTS, in_words
from .segments import may_see_members
from .statistics_selection import NOT_KNOWN, SelectionPage

PER_PAGE = 50
SEARCHED = ("email", "first_name", "last_name")
NAMED: dict[str, type[RecipientList] | type[Segment]] = {
    "list": RecipientList,
    "segment": Segment,
}
"""Parts whose key is that of a thing with a name of its own."""

UNITS: dict[str, Unit] = {"hour": "hour", "day": "day"}
"""Parts whose key is a point of a curve."""


class BehindPage(SelectionPage):
    """A page about whoever is behind one figure, perhaps of one link or device only."""

    required_permission = VIEW_ACTIVITIES
    header_icon = "group"

    @cached_property
    def code(self) -> str:
        code = self.kwargs["code"]
        if code not in self.labels or not self.selection.shown:
            raise Http404
        return code

    @property
    def labels(self) -> dict[str, str | Promise]:
        """What can be asked here, and how it is called."""
        return NUMBERS | (IN_ROWS if self.row else {})

    @cached_property
    def links(self) -> list[LinkSlice]:
        """The destinations that are meant. Any link to it names all of one destination.

        The same address is a link of its own in each mailing and each variant, so an address that
        named them all would grow with every mailing.
        """
        keys = self.request.GET.getlist("link")
        if not keys:
            return []
        wanted = {int(key) for key in keys if _is_number(key)}
        slices = breakdowns.by_link(self.selection.shown, self.selection.scope)
        found = [part for part in slices if wanted.intersection(part.link_ids)]
        if not found:
            raise Http404
        return found

    @cached_property
    def part(self) -> dict[str, str]:
        """The one part that is meant, if it is not the whole: ``{"device": "phone"}``."""
        given = ((name, self.request.GET.get(name, "")) for name in PARTS)
        chosen = {name: value for name, value in given if value and "\0" not in value}
        return {} if self.links else dict(list(chosen.items())[:1])

    @property
    def row(self) -> tuple[str, str] | None:
        """The list, segment or language that is meant, if one is, and its key."""
        return next((item for item in self.part.items() if item[0] in people.ROWS), None)

    @cached_property
    def named(self) -> RecipientList | Segment | None:
        """The list or segment that is meant; whoever may not see its contacts is refused."""
        name, key = self.row or ("", "")
        if name not in NAMED:
            return None
        named: Any = get_object_or_404(NAMED[name], pk=key if _is_number(key) else 0)
        if isinstance(named, Segment):
            self._refuse_unless_seen(named)
        return named

    def _refuse_unless_seen(self, segment: Segment) -> None:
        if unknown_conditions([segment]):
            raise Http404
        if not may_see_members(segment, self.request.user):
            raise PermissionDenied

    @cached_property
    def behind(self) -> Behind:
        recording.catch_up()
        return self._behind_row(*self.row) if self.row else self._behind_figure()

    def _behind_row(self, name: str, value: str) -> Behind:
        key = str(self.named.pk) if self.named else _key(name, value)
        shown, scope = self.selection.shown, self.selection.scope
        try:
            return people.behind_row(shown, self.code, name, str(key), scope=scope)
        except people.UnknownFigure as error:
            raise Http404(str(error)) from error

    def _behind_figure(self) -> Behind:
        asked = dict(_asked(name, value) for name, value in self.part.items())
        if self.links:
            asked["link_ids"] = [pk for part in self.links for pk in part.link_ids]
        shown, scope = self.selection.shown, self.selection.scope
        try:
            return people.behind(shown, self.code, scope=scope, **asked)
        except people.UnknownFigure as error:
            raise Http404(str(error)) from error

    @property
    def figure_label(self) -> str | Promise:
        return self.labels[self.code]

    @property
    def addresses(self) -> Sequence[str]:
        """The destinations meant, each once."""
        return list(dict.fromkeys(part.url for part in self.links))

    @property
    def rule(self) -> followups.Rule | None:
        return None if self.part else followups.rule_for(self.email, self.code, self.addresses)

    @property
    def suggested_name(self) -> str:
        """Return what a segment or list of these contacts would be called."""
        words = {"figure": self.figure_label, "email": self.email, "part": self.part_in_words}
        if self.part:
            return (_("%(figure)s: “%(email)s”, %(part)s") % words)[:120]
        return (_("%(figure)s: “%(email)s”") % words)[:120]

    def own_url(self, name: str = "people") -> str:
        """Return the address of this very question, or of another screen about it."""
        links = [part.link_ids[0] for part in self.links]
        return self.selection.url(name, self.code, link=links, **self.part)

    @property
    def part_in_words(self) -> str:
        """Return the part that is meant as an editor knows it; empty for the whole."""
        return "".join(
            in_words(name, value, str(self.named or value)) for name, value in self.part.items()
        )


class PeoplePage(BehindPage):
    """Those who may be known, by page and search, and how many nobody can name."""

    template_name = "wagtail_email_insights/admin/statistics/people.html"

    def get_page_title(self) -> str:
        return _("Contacts behind “%(figure)s”") % {"figure": self.figure_label}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items = super().get_breadcrumbs_items()
        may_go_back = has(self.request.user, VIEW_STATISTICS)
        return items if may_go_back else [*items[:-2], items[-1]]

    def get(self, request: HttpRequest, pk: int, code: str) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # PostgreSQL takes no NUL.
        search = self.request.GET.get("q", "").replace("\0", "").strip()[:100]
        contacts = matching(self.behind.contacts, search).order_by("email")
        page = WagtailPaginator(contacts, PER_PAGE).get_page(self.request.GET.get("p"))
        return super().get_context_data(
            behind=self.behind,
            answer=self._answer(),
            figure_label=self.figure_label,
            addresses=self.addresses,
            part_in_words=self.part_in_words,
            search=search,
            page_of_contacts=page,
            rows=[(contact, contact_url(contact.pk)) for contact in page],
            bare_url=self.request.path,
            kept=self._kept(),
            kept_query=urlencode(self._kept()),
            may_view_statistics=has(self.request.user, VIEW_STATISTICS),
            **self._offers(),
            **kwargs,
        )

    def _answer(self) -> Answer:
        return Answer(
            self.behind,
            needs_consent=self.code not in IN_ANY_CASE,
            is_part=bool(self.part or self.links) and self.row is None,
            with_machines=self.selection.scope == Scope.EVERYTHING,
        )

    def _kept(self) -> list[tuple[str, str]]:
        """Return what of the address stays when somebody searches or turns the page."""
        return parse_qsl(urlsplit(self.own_url()).query)

    def _offers(self) -> dict[str, Any]:
        user = self.request.user
        return {
            "make_url": self.own_url("people_make"),
            "is_left_alone": self.code in followups.NOT_TO_BE_WRITTEN_TO,
            "suggested_name": self.suggested_name,
            "reachable": reachable(self.behind.contacts).count(),
            "offers": [
                offer
                for offer in followups.OFFERS.values()
                if user.has_perms(offer.permissions)
                and followups.suits(offer, self.code, self.rule)
            ],
        }


def matching(contacts: QuerySet[Contact], search: str) -> QuerySet[Contact]:
    """Narrow *contacts* to those with every word of *search* in the address or the name."""
    for word in search.split():
        anywhere = [Q((f"{field}__icontains", word)) for field in SEARCHED]
        contacts = contacts.filter(Q(*anywhere, _connector=Q.OR))
    return contacts


def _asked(name: str, value: str) -> tuple[str, Any]:
    """Return the part of a figure as ``people.behind`` takes it."""
    if name not in UNITS:
        return name, _key(name, value)
    try:
        return "span", span_of(UNITS[name], value)
    except ValueError as error:
        raise Http404(value) from error


def _key(name: str, value: str) -> str | int:
    """Return the key that a breakdown has for what stands in the address."""
    if value == NOT_KNOWN:
        return ""
    if name == "variant":
        return int(value) if _is_number(value) else -1
    return value


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


page = PeoplePage.as_view()
