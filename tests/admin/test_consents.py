from __future__ import annotations

import pytest

from tests.factories import make_contact
from wagtail_email_insights.consents import actions
from wagtail_email_insights.consents.models import Consent, ConsentRecord
from wagtail_email_insights.consents.queries import current_version, tracking_consent

pytestmark = pytest.mark.django_db
INDEX = "/admin/email-insights/consents/"


def edit_url(consent: Consent) -> str:
    return f"{INDEX}edit/{consent.pk}/"


def form(**changes: str) -> dict[str, str]:
    return {"name": "Tracking", "language": "en", "short_text": "Yes", "full_text": "", **changes}


def make_consent(code: str = "birthday") -> Consent:
    consent = Consent.objects.create(code=code, name=code.title())
    actions.publish_wording(consent, language="en", short_text="You may congratulate me.")
    return consent


def test_an_editor_without_permission_is_refused(editor):
    consent = tracking_consent()
    client = editor("view_contact")
    for url in (INDEX, INDEX + "new/", edit_url(consent), f"{INDEX}{consent.pk}/records/"):
        assert client.get(url).status_code == 302, url


def test_records_need_permission_to_see_contacts(editor):
    url = f"{INDEX}{tracking_consent().pk}/records/"
    assert editor("change_consent").get(url).status_code == 302
    assert editor("change_consent", "view_contact").get(url).status_code == 200


def test_the_list_counts_who_agrees_now(admin):
    for _ in range(3):
        make_contact(agrees=True)
    actions.withdraw(ConsentRecord.objects.first().contact, tracking_consent())
    actions.agree(ConsentRecord.objects.last().contact, current_version(tracking_consent()))
    make_contact()
    (row,) = admin.get(INDEX).context["object_list"]
    assert row.agreed_now == 2
    assert row.wording == current_version(tracking_consent()).short_text


def test_another_wording_is_published_and_the_old_one_stays(admin):
    consent = tracking_consent()
    old = current_version(consent)
    make_contact(agrees=True)
    admin.post(edit_url(consent), form(short_text="New words", full_text="a\r\nb"))
    assert current_version(consent).short_text == "New words"
    assert current_version(consent).full_text == "a\nb"
    assert old in consent.versions.all()
    html = admin.get(edit_url(consent)).content.decode()
    assert old.short_text in html


def test_the_same_wording_is_not_published_again(admin):
    consent = tracking_consent()
    current = current_version(consent)
    words = form(short_text=current.short_text, full_text=current.full_text, name="Following")
    admin.post(edit_url(consent), words)
    consent.refresh_from_db()
    assert consent.name == "Following"
    assert list(consent.versions.values_list("published_at")) == [(current.published_at,)]


def test_a_former_wording_can_be_taken_up_again(admin):
    consent = tracking_consent()
    old = current_version(consent)
    actions.publish_wording(consent, language="en", short_text="Newer")
    html = admin.get(edit_url(consent), {"wording": old.pk}).content.decode()
    assert f'value="{old.short_text}"' in html
    admin.post(edit_url(consent), form(short_text=old.short_text, full_text=old.full_text))
    assert current_version(consent) == old


@pytest.mark.parametrize("wording", ["x", "-1", "999999", "²"])
def test_a_wrong_wording_in_the_address_changes_nothing(admin, wording):
    html = admin.get(edit_url(tracking_consent()), {"wording": wording}).content.decode()
    assert current_version(tracking_consent()).short_text in html


def test_the_code_cannot_be_changed(admin):
    consent = tracking_consent()
    admin.post(edit_url(consent), form(code="other"))
    consent.refresh_from_db()
    assert consent.code == "tracking"


def test_a_consent_is_added_with_its_wording(admin):
    admin.post(INDEX + "new/", form(name="Birthday", code="birthday", short_text="Fine"))
    assert current_version(Consent.objects.get(code="birthday")).short_text == "Fine"


def test_the_tracking_consent_cannot_be_deleted(admin):
    url = f"{INDEX}delete/{tracking_consent().pk}/"
    assert admin.get(url).status_code == 302
    admin.post(url)
    assert tracking_consent()
    assert url not in admin.get(INDEX).content.decode()
    assert url not in admin.get(edit_url(tracking_consent())).content.decode()


def test_a_consent_somebody_gave_cannot_be_deleted(admin):
    consent = make_consent()
    actions.agree(make_contact(), current_version(consent))
    admin.post(f"{INDEX}delete/{consent.pk}/")
    assert Consent.objects.filter(pk=consent.pk).exists()


def test_a_consent_nobody_was_asked_for_is_deleted_with_its_wordings(admin):
    consent = make_consent()
    url = f"{INDEX}delete/{consent.pk}/"
    assert url in admin.get(INDEX).content.decode()
    admin.post(url)
    assert not Consent.objects.filter(pk=consent.pk).exists()


def test_records_are_listed_and_searched(admin):
    make_contact("ann@example.org", agrees=True)
    make_contact("bob@example.org", agrees=True)
    url = f"{INDEX}{tracking_consent().pk}/records/"
    assert len(admin.get(url).context["object_list"]) == 2
    (record,) = admin.get(url, {"q": "ann"}).context["object_list"]
    assert record.contact.email == "ann@example.org"


def test_records_and_consents_cost_the_same_for_3_and_30_rows(queries_of):
    records = f"{INDEX}{tracking_consent().pk}/records/"
    for _ in range(3):
        make_contact(agrees=True)
    few = queries_of(INDEX), queries_of(records)
    for number in range(15):
        make_contact(agrees=True)
        make_consent(f"purpose-{number}")
    assert (queries_of(INDEX), queries_of(records)) == few


def test_hostile_wordings_are_escaped(admin):
    consent = tracking_consent()
    actions.publish_wording(consent, language="en", short_text="<script>alert(1)</script>")
    for url in (INDEX, edit_url(consent)):
        assert "<script>alert(1)" not in admin.get(url).content.decode()
