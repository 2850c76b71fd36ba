"""Screens for addresses that get nothing: why, until when, by hand, and from a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.panels import FieldPanel
from wagtail.admin.ui.tables import BooleanColumn, Column, DateColumn
from wagtail.admin.views import generic
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import Button
from wagtail.log_actions import log

from ..contacts.models import Contact, Suppression, SuppressionReason
from ..feedback.actions import import_suppressions, reset_bounces
from .contacts import contact_url
from .permissions import APP, RequiresPermission, has

MAX_FILE = 10_000_000
ADD = f"{APP}.add_suppression"
CHANGE_CONTACT = f"{APP}.change_contact"


class SuppressionFilterSet(WagtailFilterSet):
    reason = django_filters.MultipleChoiceFilter(
        choices=SuppressionReason.choices,
        label=gettext_lazy("Reason"),
        widget=forms.CheckboxSelectMultiple,
    )
    now = django_filters.ChoiceFilter(
        choices=[("yes", gettext_lazy("Holds")), ("no", gettext_lazy("Ran out"))],
        label=gettext_lazy("Now"),
        method="filter_now",
    )

    class Meta:
        model = Suppression
        fields: list[str] = []

    def filter_now(self, suppressions: QuerySet, _name: str, value: str) -> QuerySet:
        if value == "yes":
            return suppressions.active()  # type: ignore[attr-defined]
        return suppressions.filter(expires_at__lte=timezone.now())


def holds(suppression: Suppression) -> bool:
    return suppression.expires_at is None or suppression.expires_at > timezone.now()


class SuppressionIndexView(generic.IndexView):
    results_template_name = "wagtail_email_insights/admin/feedback/suppressions_results.html"

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        buttons = super().header_more_buttons
        if has(self.request.user, ADD):
            url = reverse(f"{SuppressionViewSet.name}:import")
            buttons.append(Button(_("Import from a file"), url=url, icon_name="upload"))
        return buttons


class SuppressionCreateView(generic.CreateView):
    def save_instance(self) -> Suppression:
        self.form.instance.reason = SuppressionReason.MANUAL
        return super().save_instance()


class SuppressionDeleteView(generic.DeleteView):
    page_title = gettext_lazy("Lift")

    @property
    def confirmation_message(self) -> str:
        if self.object.reason == SuppressionReason.COMPLAINT:
            return _(
                "This person reported a mail of yours as spam. Mailing them again harms your "
                "reputation, and may be unlawful. Lift it all the same?"
            )
        return _("This address can get mail again, if it is subscribed. Are you sure?")


class ImportForm(forms.Form):
    """A CSV file of addresses, read into rows."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy(
            "With a column “email”; “reason”, “note” and “until” (2030-12-31) may be added."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv,text/plain"}),
    )

    def clean_file(self) -> list[dict[str, Any]]:
        upload = self.cleaned_data["file"]
        if upload.size > MAX_FILE:
            raise ValidationError(_("The file is too large. Split it."))
        try:
            text = upload.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValidationError(_("The file is not in UTF-8.")) from error
        return _rows(text)


def _rows(text: str) -> list[dict[str, Any]]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, restkey="rest")
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
        rows = list(reader)
    except csv.Error as error:
        raise ValidationError(_("The file is no CSV.")) from error
    if "email" not in reader.fieldnames:
        raise ValidationError(_("The first line must name the columns, “email” among them."))
    return rows


class SuppressionImportView(RequiresPermission, WagtailAdminTemplateMixin, FormView):
    """Upload, take the good rows, and show what is wrong in the others, line by line."""

    required_permission = ADD
    form_class = ImportForm
    template_name = "wagtail_email_insights/admin/feedback/import.html"
    page_title = gettext_lazy("Import suppressed addresses")
    header_icon = "upload"
    _show_breadcrumbs = True

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        index = reverse(f"{SuppressionViewSet.name}:index")
        return [
            *self.breadcrumbs_items,
            {"url": index, "label": _("Suppressions")},
            {"url": "", "label": self.get_page_title()},
        ]

    def form_valid(self, form: ImportForm) -> HttpResponse:
        # The first line holds the names of the columns.
        result = import_suppressions(form.cleaned_data["file"], first_line=2)
        message = ngettext(
            "%(added)d address added, %(known)d known already.",
            "%(added)d addresses added, %(known)d known already.",
            result.added,
        ) % {"added": result.added, "known": result.known}
        messages.success(self.request, message)
        if not result.errors:
            return redirect(f"{SuppressionViewSet.name}:index")
        return self.render_to_response(self.get_context_data(form=ImportForm(), result=result))


@require_POST
def reset_bounces_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a contact's address another chance; the button stands on the contact's page."""
    if not has(request.user, CHANGE_CONTACT):
        raise PermissionDenied
    contact = get_object_or_404(Contact, pk=pk)
    was_suppressed = reset_bounces(contact)
    log(instance=contact, action="wagtail.edit", user=request.user)
    if was_suppressed:
        messages.success(request, _("The address gets mail again."))
    else:
        messages.success(request, _("The count of bounces starts anew."))
    return redirect(contact_url(contact.pk))


class SuppressionViewSet(ModelViewSet):
    model = Suppression
    name = "email_suppressions"
    url_prefix = "email-insights/suppressions"
    icon = "no-view"
    menu_label = gettext_lazy("Suppressions")
    index_view_class = SuppressionIndexView
    add_view_class = SuppressionCreateView
    delete_view_class = SuppressionDeleteView
    copy_view_enabled = False
    # Refers to nothing: no index row per address, however many are imported.
    add_to_reference_index = False
    list_per_page = 50
    search_fields = ["email", "note"]
    filterset_class = SuppressionFilterSet
    ordering = "-created_at"
    list_display = [
        "email",
        Column("reason", label=gettext_lazy("Reason"), accessor="get_reason_display"),
        BooleanColumn("holds", label=gettext_lazy("Holds"), accessor=holds),
        DateColumn("created_at", label=gettext_lazy("Since"), sort_key="created_at"),
        DateColumn("expires_at", label=gettext_lazy("Until"), sort_key="expires_at"),
        Column("note", label=gettext_lazy("Note")),
    ]
    panels = [FieldPanel("email"), FieldPanel("note"), FieldPanel("expires_at")]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("import/", SuppressionImportView.as_view(), name="import"),
            path("reset/<int:pk>/", reset_bounces_view, name="reset_bounces"),
        ]
