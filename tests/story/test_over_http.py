"""The whole way round, over real HTTP and SMTP: subscribe, write, send, click, look, leave."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from wagtail.test.utils.form_data import nested_form_data, streamfield

from tests.processes import CaughtMail, MailServer, Site, wait_until
from tests.story.stage import EDITOR, PASSWORD, SENDER
from tests.story.visitor import BROWSER, SECONDS, Page, Visitor
from wagtail_email_insights.subscriptions.forms import MIN_SECONDS

pytestmark = pytest.mark.slow

ANN = "ann@readers.example"
BOB = "bob@readers.example"
CAROL = "carol@readers.example"
OFFER = "https://shop.example/offer/?colour=green&size=2#top"
EMAILS = "/admin/email-insights/emails"
SEGMENTS = "/admin/email-insights/segments"
EDITOR_FORM = "form#w-editor-form"


@pytest.fixture
def editor(site: Site) -> Iterator[Visitor]:
    with Visitor(site.url) as visitor:
        visitor.log_in(EDITOR, PASSWORD)
        yield visitor


def test_from_the_subscribe_form_to_the_second_mailing(
    site: Site, inbox: MailServer, editor: Visitor
):
    subscribe(site, inbox, ANN, first_name="Ann", agrees=True)
    subscribe(site, inbox, BOB, first_name="Bob", agrees=False)

    email = write_email(editor, "Spring offer")
    send(editor, email, people=2)
    to_ann = inbox.wait_for(ANN, number=2)
    to_bob = inbox.wait_for(BOB, number=2)
    assert_well_made(to_ann, site)
    assert "Hello Ann" in to_ann.html
    assert "Hello Bob" in to_bob.text

    assert follow_offer(to_ann) == OFFER
    assert follow_offer(to_bob) == OFFER
    assert_seen_by_editor(editor, email)
    assert members_of_segment(editor, email) == [ANN]

    leave_with_one_click(to_ann)
    second = write_email(editor, "Summer offer")
    page = send(editor, second, people=1)
    assert "Unsubscribed 1" in page.text
    inbox.wait_for(BOB, number=3)
    assert len(inbox.to(ANN)) == 2


def test_an_old_revision_brought_back_after_sending_changes_no_send_state(
    site: Site, inbox: MailServer, editor: Visitor
):
    subscribe(site, inbox, CAROL, first_name="Carol", agrees=False)
    email = write_email(editor, "First words")
    assert save_email(editor, f"{EMAILS}/edit/{email}/", "Last words") == email
    send(editor, email)
    assert inbox.wait_for(CAROL, number=2).message["Subject"] == "Last words"
    before, mails = send_state(site, email), len(inbox.mails)

    first = oldest_revision(site, email)
    assert editor.get(f"{EMAILS}/history/{email}/revisions/{first}/revert/").status == 200
    for path in (f"history/{email}/revisions/{first}/revert/", f"edit/{email}/"):
        for button in ("action-publish", "action-send", "action-submit"):
            form = {**content("First words"), "revision": first, button: "1"}
            assert (
                "could not be saved as it is locked" in editor.force(f"{EMAILS}/{path}", form).text
            )
    assert send_state(site, email) == before
    assert len(inbox.mails) == mails
    subject = editor.get(f"{EMAILS}/edit/{email}/").form("[name=subject]")
    assert subject["value"] == "Last words"


def subscribe(
    site: Site, inbox: MailServer, address: str, *, first_name: str, agrees: bool
) -> None:
    """Ask on the host's own page, then press the button behind the link in the mail."""
    with Visitor(site.url) as visitor:
        form = visitor.get("/welcome/")
        # Whoever is faster than a person is taken for a program.
        time.sleep(MIN_SECONDS + 0.1)
        tick = "on" if agrees else None
        done = visitor.submit(form, email=address, first_name=first_name, agrees=tick)
        assert done.status == 200
        assert done.url.endswith("/check-your-mail/")

        mail = inbox.wait_for(address)
        confirm = visitor.get(only_link(mail.text, "/email/confirm/"))
        assert ("You also agree to this" in confirm.text) is agrees
        confirmed = visitor.submit(confirm)
        assert confirmed.status == 200, confirmed.text
        assert "/email/confirm/" in confirmed.url


def write_email(editor: Visitor, title: str) -> int:
    """Fill in the editor's form and press "Save and send…"; returns the e-mail's number."""
    return save_email(editor, f"{EMAILS}/add/", title)


def save_email(editor: Visitor, path: str, title: str) -> int:
    page = editor.submit(
        editor.get(path), EDITOR_FORM, **content(title), **{"action-send": "action-send"}
    )
    found = re.search(r"/send/(\d+)/$", urlsplit(page.url).path)
    assert found, f"{page.url}: {page.text}"
    return int(found[1])


def content(title: str) -> dict[str, str]:
    """Return what the editor's form holds for a small e-mail."""
    body = [
        ("heading", {"text": "Hello {{ first_name }}", "size": "h1"}),
        ("button", {"text": "See it", "url": OFFER, "alignment": "center", "page": ""}),
    ]
    return nested_form_data({"title": title, "subject": title, "body": streamfield(body)})


def send(editor: Visitor, email: int, *, people: int | None = None) -> Page:
    """Choose the list, look at the number of *people* and confirm; returns the page at the end."""
    choose = editor.get(f"{EMAILS}/send/{email}/")
    review = editor.submit(
        choose, "form:has([name=recipient_lists])", recipient_lists=choose.label_value("News")
    )
    assert people is None or f"{people} pe" in review.text, review.text
    progress = editor.submit(review, "form[action$='/send/']")
    assert "/mailing/" in progress.url
    return wait_until(
        lambda: sent_page(editor, progress.url), seconds=60, what="the mailing to be sent"
    )


def sent_page(editor: Visitor, url: str) -> Page | None:
    page = editor.get(url)
    assert page.status == 200
    return page if page.soup.select_one("[data-wei-done]") else None


def assert_well_made(mail: CaughtMail, site: Site) -> None:
    message = mail.message
    assert mail.sender == SENDER
    assert message["From"] == f"The Story <{SENDER}>"
    assert message["To"] == mail.recipient
    assert message["Subject"] == "Spring offer"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert one_click_url(mail).startswith(f"{site.url}/email/one-click/")


def follow_offer(mail: CaughtMail) -> str:
    """Click the button in the mail, in a browser that knows nothing of the site yet."""
    found = re.search(r'href="([^"]+)"[^>]*>\s*See it', mail.html)
    assert found, mail.html
    answer = requests.get(
        found[1], headers={"User-Agent": BROWSER}, allow_redirects=False, timeout=SECONDS
    )
    assert answer.status_code == 302
    assert "no-store" in answer.headers["Cache-Control"]
    return answer.headers["Location"]


def assert_seen_by_editor(editor: Visitor, email: int) -> None:
    """Both clicks count; one has a name, and the other is nowhere to be found."""

    def both_counted() -> Page | None:
        page = editor.get(f"{EMAILS}/statistics/{email}/")
        clicked = page.form("[data-figure=clicked]").get_text(" ")
        return page if "2 of 2 delivered" in clicked else None

    # A worker that is making events of the clicks this moment is waited for by nobody but us.
    figures = wait_until(both_counted, seconds=SECONDS, what="both clicks to be counted")
    assert "1 of 2 copies" in figures.text
    assert OFFER in figures.text
    for path in ("activities/{}/", "activities/{}/fragment/", "activities/{}/fragment/?panel"):
        page = editor.get(f"{EMAILS}/{path.format(email)}")
        row = page.form(".wei-feed tbody").get_text(" ")
        assert ANN in row
        assert OFFER in row
        assert BOB not in page.response.text


def members_of_segment(editor: Visitor, email: int) -> list[str]:
    """Write a segment of those who clicked in *email*; returns the addresses in it."""
    condition = {"negate": "no", "link_match": "any", "link_value": "", "email": email, "days": "7"}
    page = editor.submit(
        editor.get(f"{SEGMENTS}/new/"),
        EDITOR_FORM,
        **nested_form_data(
            {"name": "Clickers", "conditions": streamfield([("clicked_link", condition)])}
        ),
    )
    found = re.search(r"/edit/(\d+)/$", urlsplit(page.url).path)
    assert found, f"{page.url}: {page.text}"
    assert "1 contact is in this segment" in page.text
    members = editor.get(f"{SEGMENTS}/{found[1]}/members/")
    return re.findall(r"\w+@readers\.example", members.form("table").get_text(" "))


def leave_with_one_click(mail: CaughtMail) -> None:
    """Do what a mail service does when its own unsubscribe button is pressed (RFC 8058)."""
    url = one_click_url(mail)
    data = {"List-Unsubscribe": "One-Click"}
    answer = requests.post(url, data=data, allow_redirects=False, timeout=SECONDS)
    assert answer.status_code == 200


def one_click_url(mail: CaughtMail) -> str:
    return mail.message["List-Unsubscribe"].strip("<>")


def send_state(site: Site, email: int) -> list[tuple]:
    """Return everything stored about the sending of *email*."""
    return site.query(
        "SELECT * FROM wagtail_email_insights_mailing AS mailing"
        " LEFT JOIN wagtail_email_insights_delivery AS delivery ON delivery.mailing_id = mailing.id"
        " WHERE mailing.email_id = ? ORDER BY mailing.id, delivery.id",
        email,
    )


def oldest_revision(site: Site, email: int) -> int:
    [(revision,)] = site.query(
        "SELECT min(revision.id) FROM wagtailcore_revision AS revision"
        " JOIN django_content_type AS kind ON kind.id = revision.content_type_id"
        " WHERE kind.model = 'email' AND revision.object_id = ?",
        str(email),
    )
    return revision


def only_link(text: str, path: str) -> str:
    links = set(re.findall(rf"http\S+{path}\S+", text))
    assert len(links) == 1, text
    return links.pop()
