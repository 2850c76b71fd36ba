"""Screens for consents: the wording asked for now, those before it, and who agreed to what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList, Panel
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, Table, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets import AdminAutoHeightTextInput
from wagtail.admin.widgets.button import Button
from wagtail.permission_policies import ModelPermissionPolicy

from ..conf import app_settings
from ..consents.actions import publish_wording
from ..consents.models import Consent, ConsentAction, ConsentRecord, ConsentVersion
from ..consents.queries import current_version
from ..contacts.models import Contact
from .addresses import contact_url
from .permissions import SEE_CONTACTS

SEE_CONSENTS = ["add", "change", "delete"]


def _standing_agreements() -> QuerySet[ConsentRecord]:
    """Agreements that no later record of the same contact and consent has replaced."""
    later = ConsentRecord.objects.filter(
        contact=OuterRef("contact"), consent=OuterRef("consent"), id__gt=OuterRef("id")
    )
    return ConsentRecord.objects.filter(~Exists(later), action=ConsentAction.AGREE).order_by()


def _number_agreed(field: str) -> Coalesce:
    numbers = (
        _standing_agreements()
        .filter(**{field: OuterRef("pk")})
        .values(field)
        .annotate(number=Count("pk"))
        .values("number")
    )
    return Coalesce(Subquery(numbers, output_field=IntegerField()), 0)


def is_deletable(consent: Consent) -> bool:
    """Tell whether nothing would be lost: not the tracking consent, and nobody was ever asked."""
    return consent.code != app_settings.tracking_consent and not consent.records.exists()


class ConsentForm(WagtailAdminModelForm):
    """A consent with the wording asked for in one language; another wording is a new version."""

    language = forms.CharField(
        label=gettext_lazy("Language"),
        max_length=16,
        help_text=gettext_lazy("Language code of this wording, for example “en”."),
    )
    short_text = forms.CharField(
        label=gettext_lazy("Short text"),
        max_length=300,
        help_text=gettext_lazy("Stands beside the tick box."),
    )
    full_text = forms.CharField(
        label=gettext_lazy("Full text"), required=False, widget=AdminAutoHeightTextInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["code"].disabled = True
            self._start_from(current_version(self.instance))
        else:
            self.initial.setdefault("language", (get_language() or "en").split("-")[0])

    def _start_from(self, version: ConsentVersion | None) -> None:
        for name in ("language", "short_text", "full_text"):
            self.initial.setdefault(name, getattr(version, name, ""))

    @transaction.atomic
    def save(self, commit: bool = True) -> Consent:
        consent = super().save(commit)
        if commit and self._is_another_wording(consent):
            publish_wording(consent, **self._wording())
        return consent

    def _is_another_wording(self, consent: Consent) -> bool:
        wording = self._wording()
        current = consent.versions.filter(language=wording["language"]).first()
        return current is None or any(
            getattr(current, name) != text for name, text in wording.items()
        )

    def _wording(self) -> dict[str, str]:
        names = ("language", "short_text", "full_text")
        # Browsers send line ends as CRLF; the same wording must hash to the same value.
        return {name: self.cleaned_data[name].replace("\r\n", "\n") for name in names}


class WordingsPanel(Panel):
    """Every wording there was, with how many people stand by it today."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_email_insights/admin/consents/wordings_panel.html"

        def is_shown(self) -> bool:
            return super().is_shown() and bool(self.instance.pk)

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            context["wordings"] = _wording_table(self.instance)
            return context


def _wording_table(consent: Consent) -> Table:
    versions = consent.versions.annotate(agreed_now=_number_agreed("version"))
    columns = [
        Column("short_text", label=_("Wording")),
        Column("language", label=_("Language")),
        NumberColumn("agreed_now", label=_("Agreed now")),
        DateColumn("published_at", label=_("Published")),
        TitleColumn(
            "reuse", label=_("Form"), accessor=lambda _row: _("Edit from here"), get_url=_reuse_url
        ),
    ]
    return Table(columns, list(versions))


def _reuse_url(version: ConsentVersion) -> str:
    edit_url = reverse(f"{ConsentViewSet.name}:edit", args=[version.consent_id])
    return f"{edit_url}?wording={version.pk}"


class ConsentIndexView(generic.IndexView):
    @cached_property
    def list_display(self) -> list[Any]:
        return [
            "name",
            Column("wording", label=_("Current wording")),
            NumberColumn("agreed_now", label=_("Agreed now")),
        ]

    def get_base_queryset(self) -> QuerySet[Consent]:
        newest = ConsentVersion.objects.filter(consent=OuterRef("pk")).values("short_text")[:1]
        return (
            super()
            .get_base_queryset()
            .annotate(
                wording=Subquery(newest),
                agreed_now=_number_agreed("consent"),
                has_records=Exists(ConsentRecord.objects.filter(consent=OuterRef("pk"))),
            )
        )

    def get_delete_url(self, instance: Any) -> str | None:
        if instance.has_records or instance.code == app_settings.tracking_consent:
            return None
        return super().get_delete_url(instance)


class ConsentEditView(generic.EditView):
    def get_initial(self) -> dict[str, Any]:
        wanted = self.request.GET.get("wording", "")
        version = self.object.versions.filter(pk=wanted).first() if wanted.isdecimal() else None
        if version is None:
            return super().get_initial()
        return {name: getattr(version, name) for name in ("language", "short_text", "full_text")}

    @cached_property
    def can_delete(self) -> bool:
        return super().can_delete and is_deletable(self.object)

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        url = reverse(f"{ConsentViewSet.name}:records", args=[self.object.pk])
        records = Button(_("Who agreed and withdrew"), url=url, icon_name="history")
        return [*super().header_more_buttons, records]


class ConsentDeleteView(generic.DeleteView):
    """Refuses whatever would take a proof away: the record outlives the question."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_deletable(self.object):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @transaction.atomic
    def delete_action(self) -> None:
        self.object.versions.all().delete()
        super().delete_action()


class ConsentRecordsView(generic.IndexView):
    """Every agreement and withdrawal of one consent, newest first; nothing to change."""

    model = ConsentRecord
    default_ordering = "-id"
    search_fields = ["contact__email"]
    consent: Consent

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        for model, actions in ((Consent, SEE_CONSENTS), (Contact, SEE_CONTACTS)):
            if not ModelPermissionPolicy(model).user_has_any_permission(request.user, actions):
                raise PermissionDenied
        self.consent = get_object_or_404(Consent, pk=kwargs["pk"])
        # Permissions of the records themselves are given to nobody: they are never edited.
        self.permission_policy = None
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def columns(self) -> list[Column]:
        return [
            TitleColumn(
                "contact", label=_("Contact"), get_url=lambda row: contact_url(row.contact_id)
            ),
            Column("action", label=_("Action"), accessor="get_action_display"),
            Column("version", label=_("Wording shown")),
            Column("source", label=_("Source")),
            DateColumn("at", label=_("Time")),
        ]

    def get_base_queryset(self) -> QuerySet[ConsentRecord]:
        return self.consent.records.select_related("contact", "version")

    def get_index_url(self) -> str:
        return reverse(f"{ConsentViewSet.name}:records", args=[self.consent.pk])

    def get_index_results_url(self) -> str:
        return reverse(f"{ConsentViewSet.name}:records_results", args=[self.consent.pk])

    def get_page_title(self) -> str:
        return _("Who agreed and withdrew")

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        consents = capfirst(str(Consent._meta.verbose_name_plural))
        edit_url = reverse(f"{ConsentViewSet.name}:edit", args=[self.consent.pk])
        return [
            *self.breadcrumbs_items,
            {"url": reverse(f"{ConsentViewSet.name}:index"), "label": consents},
            {"url": edit_url, "label": self.consent.name},
            {"url": "", "label": self.get_page_title()},
        ]


class ConsentViewSet(ModelViewSet):
    model = Consent
    name = "email_consents"
    url_prefix = "email-insights/consents"
    icon = "check"
    index_view_class = ConsentIndexView
    edit_view_class = ConsentEditView
    delete_view_class = ConsentDeleteView
    copy_view_enabled = False
    search_fields = ["name", "code"]
    ordering = "name"
    edit_handler = ObjectList(
        [
            FieldPanel("name"),
            FieldPanel(
                "code",
                help_text=gettext_lazy("Used in forms and settings; it cannot be changed later."),
            ),
            MultiFieldPanel(
                [FieldPanel("language"), FieldPanel("short_text"), FieldPanel("full_text")],
                heading=gettext_lazy("Wording asked for"),
                help_text=gettext_lazy(
                    "Another text is published as a new wording. People who agreed to an earlier "
                    "one stay recorded with the words they were shown."
                ),
            ),
            WordingsPanel(heading=gettext_lazy("Wordings so far")),
        ],
        base_form_class=ConsentForm,
    )

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/records/", self._records_view(), name="records"),
            path("<int:pk>/records/results/", self._records_view(True), name="records_results"),
        ]

    def _records_view(self, results_only: bool = False) -> Any:
        return ConsentRecordsView.as_view(
            header_icon=self.icon, paginate_by=50, results_only=results_only
        )
