"""What of an e-mail's statistics is looked at; lives in the address, so it can be passed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from ..emails.models import Email
from ..mailings.models import Mailing
from ..tracking.models import Scope
from .addresses import email_url
from .pages import EmailPage
from .permissions import SEND, VIEW_ACTIVITIES, VIEW_STATISTICS, has

NOT_KNOWN = "-"
"""Stands in an address for a part without a name, such as a device that nobody recognised."""

SCOPES: dict[str, Scope] = {scope.name.lower(): scope for scope in Scope}

SCOPES_IN_WORDS: dict[Scope, str | Promise] = {
    Scope.PEOPLE: _(
        "Only what people did themselves. Opens that a mail service's image proxy fetched are left "
        "out, although a person may be behind them."
    ),
    Scope.READERS: _(
        "What people did, and what an image proxy fetched for them. Machines, such as link "
        "scanners, are left out."
    ),
    Scope.EVERYTHING: _(
        "Everything that reached us, machines such as link scanners too. Good for seeing what is "
        "usually left out, too much for judging an e-mail."
    ),
}


@dataclass(frozen=True)
class Selection:
    """The mailings of *email*, or the one *mailing* of them, counted in *scope*.

    *compared* is another mailing, of whichever e-mail, that is put beside.
    """

    email: Email
    mailings: list[Mailing] = field(default_factory=list)
    mailing: Mailing | None = None
    scope: Scope = Scope.READERS
    compared: Mailing | None = None

    @classmethod
    def read(cls, email: Email, query: Mapping[str, str]) -> Selection:
        """Read the selection out of an address; what makes no sense there is ignored."""
        mailings = list(email.mailings.started().select_related("email"))
        wanted = query.get("mailing", "")
        return cls(
            email=email,
            mailings=mailings,
            mailing=next((row for row in mailings if str(row.pk) == wanted), None),
            scope=SCOPES.get(query.get("scope", ""), Scope.READERS),
            compared=_started_mailing(query.get("compare", "")),
        )

    @property
    def shown(self) -> list[Mailing]:
        return [self.mailing] if self.mailing else self.mailings

    @property
    def newest(self) -> Mailing | None:
        return next(iter(self.shown), None)

    @property
    def scope_name(self) -> str:
        return self.scope.name.lower()

    def url(self, name: str, *args: Any, **changes: Any) -> str:
        """Return the address of the screen *name* with this selection, some of it changed.

        What is given as None or empty is left out; a list stands for several values.
        """
        given = {
            "mailing": self.mailing.pk if self.mailing else None,
            "scope": None if self.scope == Scope.READERS else self.scope_name,
            "compare": self.compared.pk if self.compared else None,
        } | changes
        query = urlencode({key: value for key, value in given.items() if value}, doseq=True)
        path = reverse(Email.snippet_viewset.get_url_name(name), args=[self.email.pk, *args])
        return f"{path}?{query}" if query else path


class SelectionPage(EmailPage):
    """A page about some mailings of an e-mail, named in the address."""

    required_permission = VIEW_STATISTICS

    @cached_property
    def selection(self) -> Selection:
        return Selection.read(self.email, self.request.GET)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        *items, last = super().get_breadcrumbs_items()
        return [*items, {"url": self.selection.url("statistics"), "label": _("Statistics")}, last]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return super().get_context_data(
            selection=self.selection,
            mailings=self.selection.mailings,
            statistics_url=self.selection.url("statistics"),
            may_view_activities=has(user, VIEW_ACTIVITIES),
            may_send=has(user, SEND),
            activities_url=email_url("activities", self.email),
            **kwargs,
        )


def _started_mailing(number: str) -> Mailing | None:
    if not number.isascii() or not number.isdecimal() or len(number) > 18:
        return None
    return Mailing.objects.started().select_related("email").filter(pk=number).first()
