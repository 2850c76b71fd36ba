from __future__ import annotations

import re

import pytest
from django.core import mail
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import Client

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights import signals, tokens
from wagtail_email_insights.consents.actions import withdraw
from wagtail_email_insights.consents.queries import tracking_consent
from wagtail_email_insights.contacts.models import Contact, Subscription
from wagtail_email_insights.mailings.models import Delivery
from wagtail_email_insights.sending import actions
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.tokens import Kind
from wagtail_email_insights.tracking import links, recorders, recording, taking_in, views
from wagtail_email_insights.tracking.models import Event, EventKind, TrackedLink, Verdict

pytestmark = pytest.mark.django_db

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def reader() -> Client:
    return Client(headers={"user-agent": BROWSER})


@pytest.fixture(autouse=True)
def _no_cached_links():
    links.forget()


@pytest.fixture
def sent():
    """A mailing sent to ann, who agreed to tracking, and to bob and eve, who did not."""
    news = make_list()
    for name in ("ann", "bob", "eve"):
        subscribe(make_contact(f"{name}@example.org", agrees=name == "ann"), news)
    mailing = make_mailing(make_email(), news)
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    return mailing


def addresses_in(name: str, kind: str = "c") -> list[str]:
    (message,) = [m for m in mail.outbox if m.to == [f"{name}@example.org"]]
    html = message.raw.replace(b"=\r\n", b"").decode()
    return re.findall(rf'="http://testserver(/email/{kind}/[\w-]+)"', html.replace("=3D", "="))


def test_a_click_leads_to_the_editors_own_address(sent, reader):
    response = reader.get(addresses_in("ann")[0])
    assert response.status_code == 302
    assert response["Location"] == "https://example.com/a?x=1&y=2"
    assert "no-store" in response["Cache-Control"]


def test_a_click_with_consent_names_the_contact(sent, reader):
    reader.get(addresses_in("ann")[0])
    event = Event.objects.get()
    assert event.kind == EventKind.CLICK
    assert event.contact.email == "ann@example.org"
    assert event.link.url == "https://example.com/a?x=1&y=2"
    assert event.copy == Delivery.objects.get(contact=event.contact).pk


def test_a_click_without_consent_is_counted_and_names_nobody(sent, reader):
    reader.get(addresses_in("bob")[0])
    reader.get(addresses_in("bob")[1])
    first, second = Event.objects.order_by("pk")
    assert first.contact is None
    assert second.contact is None
    assert first.copy == second.copy < 0
    assert list(Event.objects.activities()) == []


def test_an_open_is_counted_and_the_pixel_comes(sent, reader):
    response = reader.get(addresses_in("ann", "o")[0])
    assert response["Content-Type"] == "image/gif"
    assert response.content.startswith(b"GIF89a")
    assert Event.objects.get().kind == EventKind.OPEN


def test_consent_is_asked_again_at_the_click(sent, reader):
    withdraw(Contact.objects.get(email="ann@example.org"), tracking_consent())
    reader.get(addresses_in("ann")[0])
    event = Event.objects.get()
    assert (event.contact, event.copy) == (None, None)


def test_do_not_follow_is_respected_at_the_click(sent, reader):
    Contact.objects.filter(email="ann@example.org").update(do_not_track=True)
    reader.get(addresses_in("ann")[0])
    assert Event.objects.get().contact is None


def test_withdrawing_strips_the_past_and_keeps_the_uniques(sent, reader):
    addresses = addresses_in("ann") + addresses_in("ann", "o")
    for address in addresses:
        reader.get(address)
    ann = Contact.objects.get(email="ann@example.org")
    withdraw(ann, tracking_consent())
    assert not ann.events.exists()
    assert Event.objects.count() == len(addresses)
    (key,) = set(Event.objects.values_list("copy", flat=True))
    assert key < 0
    assert not Delivery.objects.filter(identified=True).exists()


@pytest.mark.parametrize("method", ["head", "get"])
def test_looking_ahead_counts_nothing(sent, reader, method):
    headers = {"sec-purpose": "prefetch"} if method == "get" else {}
    for address in (addresses_in("ann")[0], addresses_in("ann", "o")[0]):
        response = getattr(reader, method)(address, headers=headers)
        assert response.status_code in (200, 302)
    assert not Event.objects.exists()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_other_methods_are_refused(sent, reader, method):
    assert getattr(reader, method)(addresses_in("ann")[0]).status_code == 405
    assert not Event.objects.exists()


def test_a_declared_robot_is_kept_apart(sent):
    robot = Client(headers={"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"})
    robot.get(addresses_in("ann")[0])
    assert Event.objects.get().verdict == Verdict.MACHINE
    assert not Event.objects.activities().exists()


def bad_tokens():
    good = tokens.make(Kind.CLICK, 1, 1)
    flipped = good[:-1] + ("A" if good[-1] != "A" else "E")
    return {
        "forged": flipped,
        "truncated": good[:-4],
        "of another use": tokens.make(Kind.UNSUBSCRIBE, 1),
        "nonsense": "x" * 500,
        "not ascii": "ünïcode",
    }


@pytest.mark.parametrize("token", bad_tokens().values(), ids=bad_tokens().keys())
@pytest.mark.parametrize("path", ["c", "o"])
def test_bad_tokens_are_404_without_a_query(reader, token, path, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert reader.get(f"/email/{path}/{token}").status_code == 404


def test_a_token_of_another_site_is_404(reader, settings, django_assert_num_queries):
    token = tokens.make(Kind.CLICK, 1, 1)
    settings.SECRET_KEY = "somebody else"
    with django_assert_num_queries(0):
        assert reader.get(f"/email/c/{token}").status_code == 404


def test_a_signed_token_for_a_deleted_link_is_404(sent, reader):
    address = addresses_in("ann")[0]
    assert reader.get(address).status_code == 302
    TrackedLink.objects.all().delete()
    assert reader.get(address).status_code == 404


def test_a_corrected_link_leads_to_the_new_address(sent, reader):
    address = addresses_in("ann")[0]
    reader.get(address)
    link = TrackedLink.objects.get(position=0)
    link.url = "https://example.com/corrected"
    link.save()
    assert reader.get(address)["Location"] == "https://example.com/corrected"


def test_what_other_threads_throw_away_meanwhile_is_no_404(sent, reader, monkeypatch):
    class Emptied(dict):
        def __setitem__(self, *_item):
            pass

    monkeypatch.setattr(links, "_known", Emptied())
    assert reader.get(addresses_in("ann")[0]).status_code == 302


@pytest.mark.parametrize("url", ["https://[", "https://example.com/" + "x" * 20_000, "ftp://a.b/"])
def test_a_stored_address_that_nobody_can_be_sent_to_is_404(sent, reader, url):
    TrackedLink.objects.update(url=url)
    assert reader.get(addresses_in("ann")[0]).status_code == 404
    assert not Event.objects.exists()


@pytest.mark.parametrize("view", [views.click, views.open_pixel])
def test_no_transaction_of_the_request_can_take_the_answer_away(view):
    assert view._non_atomic_requests == {DEFAULT_DB_ALIAS}


def test_a_listener_that_fails_costs_neither_event_nor_page(
    sent, reader, django_capture_on_commit_callbacks
):
    heard = []

    def fail(event, **_told):
        heard.append(event)
        raise RuntimeError("the shop is away")

    signals.event_recorded.connect(fail)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            assert reader.get(addresses_in("ann")[0]).status_code == 302
    finally:
        signals.event_recorded.disconnect(fail)
    assert heard == [Event.objects.get()]


def test_the_contacts_are_locked_before_consent_is_asked(sent, reader, monkeypatch):
    order = []
    known, lock = taking_in.consents.known_among, taking_in.lock_contacts
    monkeypatch.setattr(
        taking_in.consents, "known_among", lambda pks: order.append("ask") or known(pks)
    )
    monkeypatch.setattr(
        taking_in, "lock_contacts", lambda *pks: order.append(f"lock {len(pks)}") or lock(*pks)
    )
    reader.get(addresses_in("ann")[0])
    reader.get(addresses_in("bob")[0])
    assert order == ["lock 1", "ask", "lock 0", "ask"]


def test_answering_a_known_link_costs_one_insert_at_most(
    sent, reader, settings, django_assert_max_num_queries
):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"at_once_per_second": 0}
    reader.get(addresses_in("bob")[0])
    with django_assert_max_num_queries(1):
        reader.get(addresses_in("bob")[0])


def test_under_load_hits_wait_for_a_worker(sent, reader, settings):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"at_once_per_second": 0}
    reader.get(addresses_in("bob")[0])
    assert not Event.objects.exists()
    assert recording.drain() == 1
    assert Event.objects.count() == 1


def test_no_get_changes_a_subscription(sent, reader):
    before = list(Subscription.objects.values())
    for name in ("ann", "bob"):
        for address in addresses_in(name) + addresses_in(name, "o"):
            reader.get(address)
    assert list(Subscription.objects.values()) == before


@pytest.mark.parametrize("trouble", [DatabaseError, OperationalError, InterfaceError])
def test_the_reader_is_served_when_the_database_is_not(
    sent, reader, monkeypatch, settings, trouble
):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"link_cache_seconds": 0}
    first, second, *_ = addresses_in("ann")
    assert reader.get(first).status_code == 302
    Event.objects.all().delete()

    def away(*_args, **_kwargs):
        raise trouble("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(recorders, "recorder", recorders.TableRecorder)
        patch.setattr(CursorWrapper, "execute", away)
        patch.setattr(CursorWrapper, "executemany", away)
        assert reader.get(first)["Location"] == "https://example.com/a?x=1&y=2"
        # Nobody has followed it here before, but one look-up brings the whole mailing.
        assert reader.get(second)["Location"] == "https://example.com/b"
        assert reader.get(addresses_in("ann", "o")[0]).status_code == 200
        links.forget()
        links._database.reset()
        answer = reader.get(first)
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    links._database.reset()
    assert not Event.objects.exists()
    assert recording.drain() == 3
    assert {event.contact.email for event in Event.objects.all()} == {"ann@example.org"}
    assert recording.drain() == 0


def test_nothing_in_a_dump_leads_from_a_click_to_those_who_did_not_agree(sent, reader):
    """Two people without consent, one of whom clicks: no column tells which of them it was."""
    for address in addresses_in("bob") + addresses_in("bob", "o"):
        reader.get(address)
    people = {name: Contact.objects.get(email=f"{name}@example.org") for name in ("bob", "eve")}
    dumps = {
        name: _everything_about(person, Delivery.objects.get(contact=person))
        for name, person in people.items()
    }
    # Whatever the database knows about the one who clicked, it knows alike about the other.
    assert dumps["bob"] == dumps["eve"]
    for event in Event.objects.all():
        assert event.contact_id is None
        assert event.copy < 0
        for person in people.values():
            identifiers = {person.pk, Delivery.objects.get(contact=person).pk}
            assert -event.copy not in identifiers


def _everything_about(contact: Contact, delivery: Delivery) -> dict:
    """Every stored value about a contact, with its own identifiers made alike."""
    own = {contact.pk: "contact", contact.email: "address", delivery.pk: "delivery"}
    times = {"created_at", "updated_at", "settled_at", "changed_at", "lease_until"}

    def plain(row: dict) -> dict:
        return {
            key: own.get(value, value) if isinstance(value, int | str) else value
            for key, value in row.items()
            if key not in times and not (key == "id" and value not in own)
        }

    rows = {"contact": [plain(row) for row in Contact.objects.filter(pk=contact.pk).values()]}
    for relation in Contact._meta.related_objects:
        related = relation.related_model._base_manager.filter(**{relation.field.name: contact})
        rows[relation.related_model.__name__] = [plain(row) for row in related.values()]
    return rows
