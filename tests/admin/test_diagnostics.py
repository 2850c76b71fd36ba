from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from wagtail.log_actions import registry as log_registry

from tests.factories import make_email
from wagtail_email_insights.admin.diagnostics import findings_context
from wagtail_email_insights.statistics.models import Mute

pytestmark = pytest.mark.django_db
TEMPLATE = "wagtail_email_insights/admin/diagnostics/findings.html"


def url(email, verb="mute", code="bounces") -> str:
    return f"/admin/email-insights/emails/findings/{email.pk}/{code}/{verb}/"


def test_a_finding_is_muted_for_one_email_and_may_speak_again(editor):
    email, client = make_email(), editor("view_statistics")
    response = client.post(url(email))
    assert response.url.endswith(f"/statistics/{email.pk}/")
    muted = Mute.objects.get()
    assert (muted.email, muted.code, muted.user.username) == (
        email,
        "bounces",
        "editor-view_statistics",
    )
    client.post(url(email, "unmute"))
    assert not Mute.objects.exists()


def history(email) -> list[tuple[str, str, str]]:
    entries = log_registry.get_logs_for_instance(email).order_by("pk")
    return [(entry.user.username, entry.action, entry.message) for entry in entries]


def test_the_history_of_the_email_says_who_did_it_once(editor):
    email, client = make_email(), editor("view_statistics")
    for verb in ("mute", "mute", "unmute", "unmute"):
        client.post(url(email, verb))
    assert history(email) == [
        (
            "editor-view_statistics",
            "wagtail_email_insights.mute",
            "“Many addresses do not exist” is not shown any more",
        ),
        (
            "editor-view_statistics",
            "wagtail_email_insights.unmute",
            "“Many addresses do not exist” is shown again",
        ),
    ]


def test_who_is_refused_leaves_no_trace(editor):
    email = make_email()
    editor("view_email").post(url(email))
    assert history(email) == []


def test_the_screen_of_the_history_shows_it(admin):
    email = make_email()
    admin.post(url(email))
    answer = admin.get(f"/admin/email-insights/emails/history/{email.pk}/")
    assert "is not shown any more" in answer.text


def test_looking_changes_nothing(editor):
    email = make_email()
    assert editor("view_statistics").get(url(email)).status_code == 405
    assert not Mute.objects.exists()


def test_it_needs_the_right_to_see_statistics(editor):
    email = make_email()
    editor("view_email").post(url(email))
    assert not Mute.objects.exists()


def test_what_no_diagnostic_is_called_is_not_there(editor):
    assert editor("view_statistics").post(url(make_email(), code="no-such")).status_code == 404


@pytest.mark.parametrize(
    ("target", "follows"), [("/admin/somewhere/", True), ("https://evil.example/", False)]
)
def test_one_comes_back_to_where_one_was_but_never_elsewhere(editor, target, follows):
    response = editor("view_statistics").post(url(make_email()), {"next": target})
    assert (response.url == target) is follows


def test_the_template_shows_signal_advice_and_the_way_to_mute(editor):
    email = make_email("<i>June</i>")
    html = render_to_string(TEMPLATE, findings_context(email), RequestFactory().get("/"))
    assert 'data-finding="too_early"' in html
    assert "tests are never counted" in html
    assert url(email, code="too_early") in html
    editor("view_statistics").post(url(email, code="too_early"))
    html = render_to_string(TEMPLATE, findings_context(email), RequestFactory().get("/"))
    assert 'data-finding="too_early"' not in html
    assert url(email, "unmute", "too_early") in html


def test_one_that_leads_on_has_a_link():
    from wagtail_email_insights.statistics.findings.recording import MissingActivities

    finding = MissingActivities().finding("Of 100 clicks, none.")
    html = render_to_string(TEMPLATE, {"findings": [finding]}, RequestFactory().get("/"))
    assert 'href="/admin/email-insights/tracking-check/"' in html
