"""Screens for recurring digests, and running one by hand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail import permissions as wagtail_permissions
from wagtail.admin import messages
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column, DateColumn
from wagtail.admin.views import generic
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets import AdminPageChooser
from wagtail.admin.widgets.button import Button
from wagtail.log_actions import log
from wagtail.models import Site
from wagtail.permission_policies import ModelPermissionPolicy

from ..digests import actions
from ..digests.models import Digest
from ..emails.models import Email
from ..emails.queries import newest_pages
from .addresses import mailing_url
from .permissions import SEND, RequiresPermission, has
from .side_panels import LIVE_MEDIA


class SendersOnly(ModelPermissionPolicy):
    """Whoever may send e-mails may do everything with digests, and nobody else anything."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return has(user, SEND)

    def user_has_any_permission(self, user: Any, actions: Any) -> bool:
        return has(user, SEND)


PAGE_MODEL: Any = Site._meta.get_field("root_page").related_model
POLICY = SendersOnly(Digest)
# Wagtail 8 asks a registry, 7.4 the viewset.
if register := getattr(wagtail_permissions, "register_permission_policy", None):
    register(Digest, POLICY, exact_class=True)


class DigestForm(WagtailAdminModelForm):
    """A digest; its page is stored as a number, because the model of pages can be swapped."""

    below_page = forms.ModelChoiceField(
        PAGE_MODEL._default_manager.all(),
        label=gettext_lazy("Only pages below"),
        help_text=gettext_lazy("Empty: all pages of the site."),
        required=False,
        widget=AdminPageChooser,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.initial.setdefault("pages_since", timezone.now())
            self.initial.setdefault("site", Site.objects.filter(is_default_site=True).first())

    def clean_below_page(self) -> int | None:
        page = self.cleaned_data["below_page"]
        return page.pk if page else None

    def clean_template(self) -> Email:
        template: Email = self.cleaned_data["template"]
        if not actions.has_placeholder(template):
            raise forms.ValidationError(_("This e-mail has no “Newest pages” block."))
        return template

    def clean_max_pages(self) -> int:
        number: int = self.cleaned_data["max_pages"]
        if number < 1:
            raise forms.ValidationError(_("At least one page has to fit in."))
        return number

    def clean_next_run_at(self) -> Any:
        at = self.cleaned_data["next_run_at"]
        if "next_run_at" in self.changed_data and at <= timezone.now():
            raise forms.ValidationError(_("Choose a time in the future."))
        return at


class DigestEditView(generic.EditView):
    @cached_property
    def header_more_buttons(self) -> list[Button]:
        url = reverse(f"{DigestViewSet.name}:run", args=[self.object.pk])
        run_now = Button(_("Run now"), url=url, icon_name="mail")
        return [*super().header_more_buttons, run_now]


class RunDigest(RequiresPermission, WagtailAdminTemplateMixin, View):
    """Show what would be sent; POST sends it, whatever the rhythm says."""

    required_permission = SEND
    page_title = gettext_lazy("Run now")
    header_icon = "mail"
    template_name = "wagtail_email_insights/admin/digests/run.html"
    _show_breadcrumbs = True

    @cached_property
    def digest(self) -> Digest:
        digests = Digest.objects.select_related("template", "site")
        return get_object_or_404(digests, pk=self.kwargs["pk"])

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        mailing = actions.run(self.digest)
        if mailing is None:
            messages.warning(request, self.digest.last_result)
            return redirect(self._edit_url())
        log(
            instance=mailing.email,
            action="wagtail_email_insights.send",
            user=request.user,
            data={"mailing": mailing.pk, "digest": self.digest.pk},
        )
        messages.success(request, self.digest.last_result)
        return redirect(mailing_url("mailing", mailing))

    def get_page_subtitle(self) -> str:
        return str(self.digest)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(f"{DigestViewSet.name}:index"), "label": _("Recurring digests")},
            {"url": self._edit_url(), "label": str(self.digest)},
            {"url": "", "label": self.get_header_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        digest = self.digest
        pages = newest_pages(
            site=digest.site,
            below=digest.below_page,
            since=digest.pages_since,
            until=timezone.now(),
            limit=digest.max_pages,
        )
        return super().get_context_data(
            digest=digest, pages=pages, media=LIVE_MEDIA, edit_url=self._edit_url(), **kwargs
        )

    def _edit_url(self) -> str:
        return reverse(f"{DigestViewSet.name}:edit", args=[self.digest.pk])


PANELS = [
    FieldPanel("name"),
    MultiFieldPanel(
        [
            FieldPanel("template"),
            FieldPanel("site"),
            FieldPanel("below_page"),
            FieldRowPanel([FieldPanel("pages_since"), FieldPanel("max_pages")]),
        ],
        heading=gettext_lazy("What it says"),
    ),
    MultiFieldPanel(
        [
            FieldPanel("recipient_lists", widget=forms.CheckboxSelectMultiple),
            FieldPanel("segments", widget=forms.CheckboxSelectMultiple),
        ],
        heading=gettext_lazy("Who gets it"),
    ),
    MultiFieldPanel(
        [
            FieldRowPanel([FieldPanel("rhythm"), FieldPanel("next_run_at")]),
            FieldPanel("is_active"),
        ],
        heading=gettext_lazy("When"),
    ),
]


class DigestViewSet(ModelViewSet):
    model = Digest
    name = "email_digests"
    url_prefix = "email-insights/digests"
    icon = "calendar-alt"
    menu_label = gettext_lazy("Digests")
    edit_view_class = DigestEditView
    copy_view_enabled = False
    ordering = "name"
    permission_policy = POLICY
    edit_handler = ObjectList(PANELS, base_form_class=DigestForm)
    list_display = [
        "name",
        Column("rhythm", label=gettext_lazy("Rhythm"), accessor="get_rhythm_display"),
        DateColumn("next_run_at", label=gettext_lazy("Next time")),
        Column("last_result", label=gettext_lazy("Last result")),
        BooleanColumn("is_active", label=gettext_lazy("Active")),
    ]

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        """Offer none in the group editor: the right to send is the one that counts."""
        return Permission.objects.none()

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("run/<int:pk>/", RunDigest.as_view(), name="run"),
        ]
