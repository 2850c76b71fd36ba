from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from wagtail.log_actions import registry as log_registry

from tests.factories import make_contact
from wagtail_email_insights.contacts.models import Suppression, SuppressionReason

pytestmark = pytest.mark.django_db
INDEX = "/admin/email-insights/suppressions/"


def suppress(email="ann@mail.example", reason="hard_bounce", **fields) -> Suppression:
    return Suppression.objects.create(email=email, reason=reason, **fields)


def upload(text: str | bytes) -> dict:
    raw = text if isinstance(text, bytes) else text.encode()
    return {"file": SimpleUploadedFile("list.csv", raw)}


def test_an_editor_without_permission_is_refused(editor):
    client = editor("view_contact")
    lifted = INDEX + f"delete/{suppress().pk}/"
    for url in (INDEX, INDEX + "new/", INDEX + "import/", lifted):
        assert client.get(url).status_code == 302, url
    client.post(lifted)
    assert Suppression.objects.exists()


def test_reason_and_time_are_shown(admin):
    suppress(note="550 <b>gone</b>")
    html = admin.get(INDEX).content.decode()
    assert "ann@mail.example" in html
    assert "Address does not exist" in html
    assert "550 &lt;b&gt;gone" in html


def test_the_list_is_filtered_by_reason_and_by_now(admin):
    suppress("a@mail.example")
    suppress("b@mail.example", "complaint")
    suppress("c@mail.example", "soft_bounces", expires_at=timezone.now() - timedelta(days=1))

    def found(**query):
        rows = admin.get(INDEX, query).context["object_list"]
        return sorted(row.email[0] for row in rows)

    assert found() == ["a", "b", "c"]
    assert found(reason="complaint") == ["b"]
    assert found(reason=["complaint", "hard_bounce"]) == ["a", "b"]
    assert (found(now="yes"), found(now="no")) == (["a", "b"], ["c"])
    assert found(q="a@mail") == ["a"]


def test_an_address_is_suppressed_by_hand_and_lifted(admin):
    admin.post(INDEX + "new/", {"email": "Ann@Mail.example", "note": "asked by phone"})
    suppression = Suppression.objects.get()
    assert (suppression.email, suppression.reason) == ("ann@mail.example", "manual")
    assert "can get mail again" in admin.get(INDEX + f"delete/{suppression.pk}/").content.decode()
    admin.post(INDEX + f"delete/{suppression.pk}/")
    assert not Suppression.objects.exists()


def test_the_same_address_twice_is_an_error_of_the_form(admin):
    suppress()
    response = admin.post(INDEX + "new/", {"email": "ANN@mail.example"})
    assert response.status_code == 200
    assert Suppression.objects.count() == 1


def test_editing_keeps_the_reason(admin):
    suppression = suppress(reason="complaint")
    url = INDEX + f"edit/{suppression.pk}/"
    admin.post(url, {"email": suppression.email, "note": "seen"})
    suppression.refresh_from_db()
    assert (suppression.reason, suppression.note) == ("complaint", "seen")


def test_lifting_a_complaint_is_warned_of(admin):
    suppression = suppress(reason=SuppressionReason.COMPLAINT)
    html = admin.get(INDEX + f"delete/{suppression.pk}/").content.decode()
    assert "reported a mail of yours as spam" in html


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_is_imported(admin, delimiter):
    lines = "Email,Reason,Note\nann@mail.example,complaint,old\nTom@mail.example,,\n"
    file = upload(lines.replace(",", delimiter))
    response = admin.post(INDEX + "import/", file)
    assert response.status_code == 302
    assert dict(Suppression.objects.values_list("email", "reason")) == {
        "ann@mail.example": "complaint",
        "tom@mail.example": "manual",
    }


def test_what_is_wrong_in_a_file_is_told_by_line(admin):
    html = admin.post(
        INDEX + "import/", upload("email\nann@mail.example\n<b>x</b>\n")
    ).content.decode()
    assert "Line 3: " in html
    assert "<b>x</b>" not in html
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize(
    "file",
    [upload("address\na@b.example"), upload(b"\xff\xfe\x00"), upload("x"), {}],
    ids=["no_column", "no_utf8", "no_csv", "no_file"],
)
def test_a_file_that_is_none_is_an_error_of_the_form(admin, file):
    response = admin.post(INDEX + "import/", file)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not Suppression.objects.exists()


def test_the_list_costs_the_same_for_3_and_15(queries_of):
    for number in range(3):
        suppress(f"a{number}@mail.example")
    few = queries_of(INDEX)
    for number in range(12):
        suppress(f"b{number}@mail.example")
    assert queries_of(INDEX) == few


def test_bounces_of_a_contact_are_reset_by_post_only(admin):
    contact = make_contact("ann@mail.example", soft_bounces=4)
    suppress()
    url = INDEX + f"reset/{contact.pk}/"
    assert admin.get(url).status_code == 405
    assert Suppression.objects.exists()
    response = admin.post(url)
    contact.refresh_from_db()
    assert response.url.endswith(f"contacts/inspect/{contact.pk}/")
    assert (contact.soft_bounces, Suppression.objects.count()) == (0, 0)
    assert log_registry.get_logs_for_instance(contact).exists()


def test_bounces_are_not_reset_without_permission(editor):
    contact = make_contact("ann@mail.example")
    suppress()
    editor("view_contact").post(INDEX + f"reset/{contact.pk}/")
    assert Suppression.objects.exists()
