"""How fast one worker process hands a newsletter over, states recorded.

A 48 kB newsletter with 20 tracked links and 5 merge tags to people who all agreed to tracking,
against two baselines in the same run: a loop that renders, rewrites and sends an ordinary
EmailMultiAlternatives per recipient over one open connection, and ``smtp-source``.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import time
from typing import Any

import django


def main() -> None:
    options = _options()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    measure = {"engine": _engine, "loop": _loop, "prepare": _prepare}[options.what]
    print(json.dumps(measure(options.recipients)))


def _engine(recipients: int) -> dict[str, Any]:
    from wagtail_email_insights.mailings.queries import progress
    from wagtail_email_insights.sending.batches import work_on

    mailing = _mailing(recipients)
    mailing.refresh_from_db()
    work_on(mailing, seconds=0)
    before = _peak_mb()
    began = time.perf_counter()
    while work_on(mailing, seconds=60):
        pass
    elapsed = time.perf_counter() - began
    sent = progress(mailing).sent
    assert sent == recipients, progress(mailing)
    return {"rate": sent / elapsed, "grown_mb": _peak_mb() - before, "size": _size(mailing)}


def _loop(recipients: int) -> dict[str, Any]:
    """The ordinary way: everything per recipient, on one open connection, nothing recorded."""
    from django.core.mail import EmailMultiAlternatives

    from wagtail_email_insights import mail, tokens
    from wagtail_email_insights.contacts.models import Contact
    from wagtail_email_insights.emails.merge_tags import fill
    from wagtail_email_insights.emails.rendering import render_email
    from wagtail_email_insights.tracking.rewriting import rewrite_links

    mailing = _mailing(recipients)
    backend = mail.backend_for("default")
    backend.open()
    began = time.perf_counter()
    for contact in Contact.objects.iterator():
        rendered = render_email(mailing.email, site=None, unsubscribe_url="https://x.example/u")
        html = rewrite_links(
            rendered.html,
            lambda url, index, pk=contact.pk: (
                "https://x.example/email/c/" + tokens.make(tokens.Kind.CLICK, index, pk)
            ),
        )
        values = {"first_name": contact.first_name, "last_name": contact.last_name}
        message = EmailMultiAlternatives(
            subject=fill(rendered.subject, values, escape=False),
            body=fill(rendered.text, values, escape=False),
            from_email="news@example.org",
            to=[contact.email],
        )
        message.attach_alternative(fill(html, values, escape=True), "text/html")
        backend.send_messages([message])
    elapsed = time.perf_counter() - began
    backend.close()
    return {"rate": recipients / elapsed}


def _prepare(recipients: int) -> dict[str, Any]:
    """Seconds for inserting the Deliveries, and for the barest INSERT … SELECT beside it."""
    from django.db import connection, transaction

    from wagtail_email_insights.mailings.audience import insert_deliveries
    from wagtail_email_insights.mailings.models import Delivery

    mailing = _mailing(recipients)
    other = _mailing(0)
    table = connection.ops.quote_name(Delivery._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")
        began = time.perf_counter()
        cursor.execute(
            f"INSERT INTO {table} (mailing_id, contact_id, state, skip_reason, variant, identified,"
            " attempts, error) SELECT %s, id, 'queued', '', 0, %s, 0, '' FROM"
            " wagtail_email_insights_contact",
            [other.pk, False],
        )
        bare = time.perf_counter() - began
        cursor.execute(f"DELETE FROM {table}")
    with transaction.atomic():
        began = time.perf_counter()
        insert_deliveries(mailing)
    ours = time.perf_counter() - began
    assert mailing.deliveries.count() == recipients
    return {"bare": bare, "ours": ours}


def _mailing(recipients: int) -> Any:
    from tests.factories import make_email, make_list, make_mailing
    from wagtail_email_insights.mailings.models import MailingState

    news = make_list("Bench")
    _people(recipients, news)
    mailing = make_mailing(make_email(subject="{{ first_name }}, news", body=_body()), news)
    mailing.state = MailingState.PREPARING
    mailing.save()
    return mailing


def _people(recipients: int, news: Any) -> None:
    """Contacts who are subscribed and have agreed to tracking, a few thousand at a time."""
    from tests.factories import tracking_wording
    from wagtail_email_insights.consents.models import ConsentRecord
    from wagtail_email_insights.contacts.models import Contact, Subscription

    wording = tracking_wording()
    for start in range(0, recipients, 5000):
        people = Contact.objects.bulk_create(
            Contact(email=f"reader{number}@example.org", first_name="Ann", last_name=f"N{number}")
            for number in range(start, min(start + 5000, recipients))
        )
        Subscription.objects.bulk_create(
            Subscription(contact=person, recipient_list=news, status="subscribed")
            for person in people
        )
        ConsentRecord.objects.bulk_create(
            ConsentRecord(contact=person, consent=wording.consent, version=wording, action="agree")
            for person in people
        )


def _body() -> list[tuple[str, Any]]:
    """About 48 kB once it is a message: 20 links, five merge tags, much text."""
    tags = "{{ first_name|default:'there' }} {{ last_name }} {{ name }} {{ email }}"
    words = "The quick brown fox jumps over the lazy dog near the old mill by the river. " * 11
    paragraphs = [
        ("rich_text", f'<p>{words}<a href="https://example.com/page/{number}?a=1">more</a></p>')
        for number in range(20)
    ]
    heading = ("heading", {"text": "News", "size": "h1"})
    return [heading, ("rich_text", f"<p>{tags}</p>"), *paragraphs]


def _size(mailing: Any) -> int:
    from django.utils import timezone

    from wagtail_email_insights.sending.batches import compile_mailing
    from wagtail_email_insights.sending.compiling import Copy

    copy = Copy(1, "reader@example.org", "Ann", "N", True, 1)
    raw = compile_mailing(mailing)[0].message(copy, now=timezone.now()).raw
    links = set(re.findall(rb"/email/c/[\w-]+", raw.replace(b"=\r\n", b"")))
    assert len(links) == 20, len(links)
    return len(raw)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["engine", "loop", "prepare"])
    parser.add_argument("--recipients", type=int, default=3000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
