from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.factories import make_contact, make_email, make_list, make_mailing, subscribe
from wagtail_email_insights.emails.models import Email
from wagtail_email_insights.mailings.models import Mailing, MailingState
from wagtail_email_insights.sending import actions, experiments, winners
from wagtail_email_insights.sending.batches import work_on
from wagtail_email_insights.tracking.models import Event, EventKind

pytestmark = pytest.mark.django_db


def address(name: str, pk: int, *args: str) -> str:
    return reverse(Email.snippet_viewset.get_url_name(name), args=[pk, *args])


@pytest.fixture
def news():
    news = make_list("News")
    for _ in range(20):
        subscribe(make_contact(), news)
    return news


def form_data(news, *subjects: str, **changes) -> dict:
    rows = {f"variant-{row}-subject": subject for row, subject in enumerate(subjects)}
    test = {"test_share": "40", "test_hours": "4", "test_metric": "clicks"}
    return {"recipient_lists": [news.pk], "when": "now"} | test | rows | changes


@pytest.fixture
def under_test(news):
    """A mailing whose eight test copies are sent; twelve wait."""
    mailing = make_mailing(make_email(), news, test_share=40)
    experiments.set_variants(mailing, [("", None), ("Other", None)])
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    mailing.refresh_from_db()
    return mailing


def click(mailing: Mailing, variant: int, number: int = 1) -> None:
    for copy in range(number):
        Event.objects.create(
            kind=EventKind.CLICK, mailing=mailing, variant=variant, copy=-(variant * 100 + copy + 1)
        )


def chosen() -> list[tuple[str, int | None]]:
    return list(Mailing.objects.get().variants.values_list("subject", "email"))


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_a_test_is_planned_and_its_numbers_are_shown(admin_client, news):
    data = form_data(news, "", "Other subject")
    html = text_of(admin_client.post(address("send", make_email().pk), data, follow=True))
    assert chosen() == [("", None), ("Other subject", None)]
    assert Mailing.objects.get().test_share == 40
    assert html.count('<td class="wei-number">4</td>') == 2
    assert '<td class="wei-number">12</td>' in html
    assert "June news" in html
    assert "does best after 4 hours" in html


def test_empty_rows_are_ignored_and_others_may_be_anywhere(admin_client, news):
    other = make_email("Other e-mail")
    email = make_email()
    data = form_data(news, "", "", "Third", **{"variant-3-email": other.pk})
    admin_client.post(address("send", email.pk), data)
    assert chosen() == [("", None), ("Third", None), ("", other.pk)]
    html = text_of(admin_client.get(address("send", email.pk)))
    assert 'value="Third"' in html
    assert '<details class="wei-choices" open>' in html


def test_without_variants_there_is_no_test(admin_client, news):
    email = make_email()
    admin_client.post(address("send", email.pk), form_data(news, "", "Other"))
    admin_client.post(address("send", email.pk), form_data(news))
    assert chosen() == []
    assert Mailing.objects.get().test_share is None
    assert (
        "open>"
        not in text_of(admin_client.get(address("send", email.pk)))
        .partition("<details")[2]
        .partition("<summary")[0]
    )


@pytest.mark.parametrize(
    ("subjects", "changes", "message"),
    [
        (["Only A"], {}, "at least two variants"),
        (["Same", "Same"], {}, "are the same"),
        (["", "June news"], {}, "are the same"),
        (["", "Hello {{ nobody }}"], {}, "nobody"),
        (["", "x" * 201], {}, "at most 200"),
        (["", "Other"], {"test_share": ""}, "Enter a number from 1 to 100"),
        (["", "Other"], {"test_share": "101"}, "Enter a number from 1 to 100"),
        (["", "Other"], {"test_hours": "9999"}, "At most 336 hours"),
        (["", "Other"], {"variant-1-email": "999"}, "Select a valid choice"),
    ],
)
def test_mistakes_are_said_and_nothing_is_saved(admin_client, news, subjects, changes, message):
    data = form_data(news, *subjects, **changes)
    response = admin_client.post(address("send", make_email().pk), data)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not Mailing.objects.exists()


def test_a_variant_that_cannot_be_sent_keeps_the_mailing_from_starting(admin_client, news):
    empty = make_email("Empty", body=[])
    data = form_data(news, "", "", **{"variant-1-email": empty.pk})
    html = text_of(admin_client.post(address("send", make_email().pk), data, follow=True))
    assert "Variant B: The e-mail has no content." in html
    admin_client.post(address("mailing_act", Mailing.objects.get().pk, "send"))
    assert Mailing.objects.get().state == MailingState.DRAFT


def test_the_page_shows_figures_and_that_nothing_is_sure_yet(admin_client, under_test):
    click(under_test, 2)
    html = text_of(admin_client.get(address("mailing", under_test.pk)))
    assert "12 copies wait for the winner" in html
    assert "1 (25.0 %)" in html
    assert "Not enough to tell" in html
    assert "roughly" in html
    assert html.count("Choose as winner") == 2


def test_a_clear_difference_comes_with_its_probability(admin_client, under_test):
    under_test.deliveries.all().delete()
    for variant in (1, 2):
        for _ in range(40):
            under_test.deliveries.create(
                contact=make_contact(),
                state="sent",
                variant=variant,
                settled_at=under_test.started_at,
            )
    click(under_test, 2, 20)
    html = text_of(admin_client.get(address("mailing_progress", under_test.pk)))
    assert "With a probability of 99.9 %, variant B is the one that is clicked most often" in html


def test_choosing_the_winner(admin_client, under_test):
    page = admin_client.post(address("mailing_act", under_test.pk, "choose-2"), follow=True)
    under_test.refresh_from_db()
    assert under_test.winner == 2
    html = text_of(page)
    assert "Variant B was chosen by hand" in html
    assert "Choose as winner" not in html
    entry = ModelLogEntry.objects.get(action="wagtail_email_insights.choose")
    assert entry.data == {"mailing": under_test.pk, "variant": "2"}


def test_choosing_twice_is_no_error(admin_client, under_test):
    admin_client.post(address("mailing_act", under_test.pk, "choose-2"))
    page = admin_client.post(address("mailing_act", under_test.pk, "choose-1"), follow=True)
    under_test.refresh_from_db()
    assert under_test.winner == 2
    assert "no longer possible" in text_of(page)


@pytest.mark.parametrize("verb", ["choose-3", "choose-9", "choose-x"])
def test_a_variant_that_is_not_there_is_refused(admin_client, under_test, verb):
    admin_client.post(address("mailing_act", under_test.pk, verb))
    under_test.refresh_from_db()
    assert under_test.winner is None


def test_no_get_chooses(admin_client, under_test):
    admin_client.get(address("mailing_act", under_test.pk, "choose-1"))
    under_test.refresh_from_db()
    assert under_test.winner is None


def test_choosing_needs_the_right_to_send(editor, under_test):
    editor("change_email", "view_statistics").post(
        address("mailing_act", under_test.pk, "choose-1")
    )
    under_test.refresh_from_db()
    assert under_test.winner is None


@pytest.mark.parametrize(
    ("clicks", "words"),
    [(1, "Variant B had the highest rate"), (0, "No variant was ahead alone")],
)
def test_how_the_winner_came_about_is_said(admin_client, under_test, clicks, words):
    click(under_test, 2, clicks)
    winners.settle_due_tests(under_test.started_at + timedelta(hours=5))
    html = text_of(admin_client.get(address("mailing", under_test.pk)))
    assert words in html
    assert "Choose as winner" not in html


def test_a_paused_test_says_that_nothing_is_chosen(admin_client, under_test):
    actions.pause(under_test)
    html = text_of(admin_client.get(address("mailing", under_test.pk)))
    assert "none is chosen by itself" in html
    assert html.count("Choose as winner") == 2


def test_statistics_show_the_variants_and_no_buttons(editor, under_test):
    click(under_test, 1, 2)
    client = editor("view_statistics")
    html = text_of(client.get(address("statistics", under_test.email_id)))
    assert 'data-variant="A"' in html
    assert "2 (50.0 %)" in html
    assert "Choose as winner" not in html


def test_statistics_cost_the_same_for_many_clicks(queries_of, under_test):
    url = address("statistics_fragment", under_test.email_id)
    few = queries_of(url)
    click(under_test, 1, 30)
    assert queries_of(url) == few


def test_a_mailing_without_a_test_shows_none_of_this(admin_client, news):
    mailing = make_mailing(make_email(), news)
    assert "Test variants" not in text_of(admin_client.get(address("mailing", mailing.pk)))
    actions.start(mailing)
    mailing.refresh_from_db()
    work_on(mailing, seconds=30)
    assert "Test variants" not in text_of(admin_client.get(address("mailing", mailing.pk)))


def test_the_send_page_costs_the_same_for_many_emails(queries_of, news):
    email = make_email()
    url = address("send", email.pk)
    few = queries_of(url)
    for _ in range(10):
        make_email()
    assert queries_of(url) == few
