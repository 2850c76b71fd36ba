"""The click map of an e-mail: a page with a frame, and the painted e-mail in the frame."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from ..mailings.models import Mailing, MailingContent
from ..statistics import breakdowns
from ..statistics.breakdowns import LinkSlice
from ..tracking.models import TrackedLink
from . import painting
from .permissions import SEND, VIEW_ACTIVITIES, has
from .statistics_selection import SelectionPage
from .tiles import link_people_url, link_rows

STYLESHEET = "wagtail_email_insights/click_map.css"


class ClickMapPage(SelectionPage):
    """The newest mailing that is looked at, one of its variants at a time."""

    page_title = _("Click map")
    header_icon = "crosshairs"
    template_name = "wagtail_email_insights/admin/statistics/click_map.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    @cached_property
    def mailing(self) -> Mailing:
        if self.selection.newest is None:
            raise Http404
        return self.selection.newest

    @cached_property
    def contents(self) -> list[MailingContent]:
        return list(self.mailing.contents.order_by("variant", "language"))

    @cached_property
    def content(self) -> MailingContent:
        """The variant that was asked for, else the first."""
        wanted = self.request.GET.get("variant", "")
        for content in self.contents:
            if str(content.variant) == wanted:
                return content
        if not self.contents:
            raise Http404
        return self.contents[0]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        selection = self.selection
        return super().get_context_data(
            content=self.content,
            variants=self._variants(),
            legend=painting.LEGEND,
            frame_url=selection.url("click_map_frame", variant=self.content.variant),
            links=link_rows(
                breakdowns.by_link(selection.shown, selection.scope),
                selection,
                leads_to_people=has(self.request.user, VIEW_ACTIVITIES),
                may_correct=has(self.request.user, SEND),
            ),
            **kwargs,
        )

    def _variants(self) -> list[tuple[str, str, bool]]:
        """Return name, address and "is shown" of each variant; nothing where there is no test."""
        if len(self.contents) < 2:
            return []
        return [
            (
                chr(ord("A") + content.variant - 1),
                self.selection.url("click_map", variant=content.variant),
                content == self.content,
            )
            for content in self.contents
        ]


@method_decorator(xframe_options_sameorigin, name="dispatch")
class ClickMapFrame(ClickMapPage):
    """The painted e-mail itself: it cannot run scripts or load anything but pictures."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        sheet = request.build_absolute_uri(static(STYLESHEET))
        links = TrackedLink.objects.filter(mailing=self.mailing, variant=self.content.variant)
        slices = breakdowns.by_link(self.selection.shown, self.selection.scope)
        badges = painting.badges_of(links, slices, self._url_of)
        policy = painting.policy(
            stylesheet=sheet, base_urls=[self.content.base_url, request.build_absolute_uri("/")]
        )
        return HttpResponse(
            painting.paint(self.content, badges, sheet),
            headers={
                "Content-Security-Policy": policy,
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-store, private",
            },
        )

    def _url_of(self, part: LinkSlice) -> str:
        if not has(self.request.user, VIEW_ACTIVITIES):
            return ""
        return link_people_url(part, self.selection)


page = ClickMapPage.as_view()
frame = ClickMapFrame.as_view()
