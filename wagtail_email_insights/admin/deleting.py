"""Deleting what something else still needs: said in words, not as a server error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from wagtail.admin import messages

from ..emails.models import Email
from ..mailings.models import Mailing, MailingState


class GuardedDelete:
    """Delete view mixin: what is protected stays, and the editor is told why."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().post(request, *args, **kwargs)  # type: ignore[misc]
        except ProtectedError as error:
            messages.error(request, error.args[0])
            return redirect(self.get_success_url())  # type: ignore[attr-defined]


def keep_mailed_emails(request: HttpRequest, instances: Sequence[Any]) -> HttpResponse | None:
    """Stop the deletion of e-mails that were sent, singly or in bulk; a Wagtail hook."""
    emails = [instance for instance in instances if isinstance(instance, Email)]
    begun = Mailing.objects.exclude(state=MailingState.DRAFT, started_at=None)
    used = Q(email__in=emails) | Q(variants__email__in=emails)
    if not emails or not begun.filter(used).exists():
        return None
    messages.error(
        request,
        _("An e-mail that is scheduled or sent cannot be deleted: readers hold its links."),
    )
    return redirect(Email.snippet_viewset.get_url_name("list"))
