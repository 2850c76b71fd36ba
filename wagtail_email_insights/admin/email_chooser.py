"""Choosing an e-mail in a form: for those who have any right on e-mails, nobody else."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.snippets.views import chooser

from ..emails.models import Email

SEE_EMAILS = ["add", "change", "delete", "view", "send"]


class NeedsAnyRight:
    """View mixin: Wagtail's choosers ask for no permission, but titles may be secret too."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not ModelPermissionPolicy(Email).user_has_any_permission(request.user, SEE_EMAILS):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class ChooseView(NeedsAnyRight, chooser.ChooseView):
    pass


class ChooseResultsView(NeedsAnyRight, chooser.ChooseResultsView):
    pass


class ChosenView(NeedsAnyRight, chooser.SnippetChosenView):
    pass


class ChosenMultipleView(NeedsAnyRight, chooser.SnippetChosenMultipleView):
    pass


class EmailChooserViewSet(chooser.SnippetChooserViewSet):
    choose_view_class = ChooseView
    choose_results_view_class = ChooseResultsView
    chosen_view_class = ChosenView
    chosen_multiple_view_class = ChosenMultipleView
