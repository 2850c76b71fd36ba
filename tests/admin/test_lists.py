from __future__ import annotations

import pytest

from tests.factories import make_contact, make_list, subscribe
from wagtail_email_insights.contacts.models import Contact, RecipientList, SubscriptionStatus

pytestmark = pytest.mark.django_db
INDEX = "/admin/email-insights/lists/"


def test_an_editor_without_permission_is_refused(editor):
    client = editor("view_contact")
    for url in (INDEX, INDEX + "new/", INDEX + f"edit/{make_list().pk}/"):
        assert client.get(url).status_code == 302, url


def test_every_standing_is_counted_for_each_list(admin):
    news, shop = make_list("News"), make_list("Shop")
    subscribe(make_contact(), news)
    for _ in range(2):
        subscribe(make_contact(), news, SubscriptionStatus.PENDING)
    subscribe(make_contact(), shop, SubscriptionStatus.UNSUBSCRIBED)
    rows = {row.name: row for row in admin.get(INDEX).context["object_list"]}
    assert (rows["News"].subscribed, rows["News"].pending, rows["News"].unsubscribed) == (1, 2, 0)
    assert (rows["Shop"].subscribed, rows["Shop"].pending, rows["Shop"].unsubscribed) == (0, 0, 1)
    most_pending_first = admin.get(INDEX, {"ordering": "-pending"}).context["object_list"]
    assert list(most_pending_first) == [news, shop]


def test_numbers_lead_to_the_contacts_behind_them(admin):
    news = make_list("News")
    contact = make_contact()
    subscribe(contact, news)
    html = admin.get(INDEX).content.decode()
    path = f"/admin/email-insights/contacts/?recipient_list={news.pk}&amp;standing=subscribed"
    assert path in html
    found = admin.get(path.replace("&amp;", "&")).context["object_list"]
    assert list(found) == [contact]


def test_numbers_lead_nowhere_for_those_who_may_not_see_contacts(editor):
    make_list("News")
    html = editor("change_recipientlist").get(INDEX).content.decode()
    assert "News" in html
    assert "standing=" not in html


def test_the_list_costs_the_same_for_3_and_15_lists(queries_of):
    for _ in range(3):
        make_list()
    few = queries_of(INDEX)
    for _ in range(12):
        subscribe(make_contact(), make_list())
    assert queries_of(INDEX) == few


def test_a_list_is_added_changed_and_deleted(admin):
    admin.post(INDEX + "new/", {"name": "News", "slug": "news", "double_opt_in": "on"})
    news = RecipientList.objects.get(slug="news")
    subscribe(make_contact(), news)
    admin.post(INDEX + f"edit/{news.pk}/", {"name": "Weekly", "slug": "news"})
    news.refresh_from_db()
    assert (news.name, news.double_opt_in) == ("Weekly", False)
    admin.post(INDEX + f"delete/{news.pk}/")
    assert not RecipientList.objects.exists()
    assert Contact.objects.count() == 1


def test_an_empty_screen_tells_the_next_step(admin):
    assert "Add the first list" in admin.get(INDEX).content.decode()


def test_hostile_names_are_escaped(admin):
    make_list("<script>alert(1)</script>", slug="x")
    assert "<script>alert(1)" not in admin.get(INDEX).content.decode()
