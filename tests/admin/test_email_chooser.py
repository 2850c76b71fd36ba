from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import make_email
from wagtail_email_insights.emails.models import Email

pytestmark = pytest.mark.django_db


def urls(email: Email) -> list[str]:
    name_of = Email.snippet_viewset.chooser_viewset.get_url_name
    return [
        reverse(name_of("choose")),
        reverse(name_of("choose_results")),
        reverse(name_of("chosen"), args=[email.pk]),
        reverse(name_of("chosen_multiple")) + f"?id={email.pk}",
    ]


def test_titles_are_not_for_people_without_any_right_on_emails(editor):
    email = make_email("Merger on Monday")
    client = editor("change_segment")
    for url in urls(email):
        response = client.get(url)
        assert response.status_code == 302, url
        assert b"Merger" not in response.content


@pytest.mark.parametrize(
    "codename", ["add_email", "change_email", "delete_email", "view_email", "send_email"]
)
def test_any_right_on_emails_is_enough(editor, codename):
    email = make_email("Merger on Monday")
    client = editor(codename)
    for url in urls(email):
        response = client.get(url)
        assert response.status_code == 200, url
        assert b"Merger on Monday" in response.content
