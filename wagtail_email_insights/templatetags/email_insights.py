"""``{% load email_insights %}``: what a host's own templates can show."""

from __future__ import annotations

import logging
from typing import Any

from django import template
from django.middleware.csrf import get_token
from django.template.context import Context

from ..contacts.models import RecipientList
from ..subscriptions.forms import form_context

logger = logging.getLogger(__name__)
register = template.Library()


@register.inclusion_tag("wagtail_email_insights/subscriptions/embedded.html", takes_context=True)
def email_subscribe_form(context: Context, slug: str) -> dict[str, Any]:
    """Show the subscribe form of the list with the code *slug*; nothing when there is none.

    The form carries the visitor's CSRF token, the time it was shown and the wording of the consent,
    so it must not come out of a cache that visitors share: leave such a page, or the fragment with
    the form, uncached, or link to the stand-alone page ``wagtail_email_insights:subscribe``.
    The template must be rendered with the request.
    """
    recipient_list = RecipientList.objects.filter(slug=slug).first()
    if recipient_list is None:
        logger.warning("email_subscribe_form: there is no recipient list %r", slug)
        return {}
    request = context.get("request")
    csrf_token = get_token(request) if request else ""
    return {**form_context(recipient_list), "csrf_token": csrf_token}
