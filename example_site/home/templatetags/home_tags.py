from __future__ import annotations

from typing import Any

from django import template
from wagtail.models import Site

register = template.Library()


@register.inclusion_tag("home/menu.html", takes_context=True)
def garden_menu(context: dict[str, Any]) -> dict[str, Any]:
    """The pages below the site's root that are shown in menus."""
    site = Site.find_for_request(context["request"])
    pages = site.root_page.get_children().live().in_menu() if site else []
    return {"pages": pages, "current": context.get("page"), "request": context["request"]}
