"""What editors write. Content only: nothing here knows whether, when or to whom it was sent."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.locks import BaseLock
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    PreviewableMixin,
    RevisionMixin,
    WorkflowMixin,
)
from wagtail.search import index

from ..streams import LazyStreamField
from . import locks
from .blocks import body_blocks


class Email(
    WorkflowMixin,
    DraftStateMixin,
    LockableMixin,
    RevisionMixin,
    PreviewableMixin,
    index.Indexed,
    models.Model,
):
    """A newsletter as its editor sees it: subject, preview text and a body of blocks."""

    title = models.CharField(
        _("title"), max_length=200, help_text=_("For you and your colleagues; not sent.")
    )
    subject = models.CharField(_("subject"), max_length=200)
    preheader = models.CharField(
        _("preview text"),
        max_length=200,
        blank=True,
        help_text=_("Shown after the subject in most inboxes."),
    )
    body = LazyStreamField(body_blocks, verbose_name=_("body"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    workflow_states = GenericRelation(
        "wagtailcore.WorkflowState",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="email",
        for_concrete_model=False,
    )
    _revisions = GenericRelation(
        "wagtailcore.Revision",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="email",
        for_concrete_model=False,
    )

    search_fields = [
        index.SearchField("title"),
        index.SearchField("subject"),
        index.AutocompleteField("title"),
        index.AutocompleteField("subject"),
    ]

    class Meta:
        verbose_name = _("email")
        verbose_name_plural = _("emails")
        ordering = ["-id"]
        permissions = [
            ("send_email", _("Can send emails")),
            ("view_statistics", _("Can view statistics")),
            ("view_activities", _("Can view contact activities")),
            ("export_contacts", _("Can export contacts and their activities")),
            ("use_raw_html", _("Can write raw HTML in emails")),
        ]

    def __str__(self) -> str:
        return self.title or self.subject or str(_("Untitled e-mail"))

    @property
    def revisions(self) -> models.QuerySet:
        return self._revisions

    def get_lock(self) -> BaseLock | None:
        """Return the lock of whoever uses this e-mail (a mailing), else Wagtail's own."""
        return locks.lock_for(self) or super().get_lock()

    def get_preview_template(self, request: HttpRequest, mode_name: str) -> str:
        return "wagtail_email_insights/emails/email.html"

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        from .rendering import preview_response

        return preview_response(self, request)

    def full_clean(self, *args: Any, **kwargs: Any) -> None:
        self.subject = " ".join(self.subject.split())
        super().full_clean(*args, **kwargs)
