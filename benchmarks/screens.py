"""A site whose e-mail has many events, and what its screens cost; run with the site's settings.

python -m benchmarks.screens make NUMBER   a mailing with so many events, and nineteen e-mails
python -m benchmarks.screens measure       milliseconds and queries of each screen
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import timedelta
from typing import Any

import django

EMAILS = 20
LINKS = 20
EVENTS_A_COPY = 10
TIMES = 15


def main() -> None:
    django.setup()
    verb, *arguments = sys.argv[1:]
    print(json.dumps({"make": make, "measure": measure}[verb](*arguments)))


def make(number: str) -> dict[str, float]:
    """Fill a new database by SQL; every second copy is identified."""
    from django.core.management import call_command
    from django.db import connection

    from wagtail_email_insights.tracking import tallies, totals

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    mailing = _mailing(int(number))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    inserted = time.perf_counter()
    tallies.rebuild(mailing)
    rebuilt = time.perf_counter()
    totals.totals_of([mailing.pk])
    return {"inserted": inserted - began, "rebuilt": rebuilt - inserted}


def measure() -> dict[str, dict[str, float]]:
    """Ask for each screen many times, in turns, as an administrator."""
    from django.contrib.auth import get_user_model
    from django.test import Client, override_settings

    with override_settings(ROOT_URLCONF="tests.urls"):
        client = Client()
        client.force_login(get_user_model().objects.get(username="bench"))
        seen = {name: _asked(client, address) for name, address in _addresses().items()}
    return seen


def _asked(client: Any, address: str) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    assert client.get(address).status_code == 200, address
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    # Now: the next request empties what was captured.
    queries = len(captured)
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        client.get(address)
        times.append(time.perf_counter() - began)
    return {"ms": 1000 * statistics.median(times), "queries": queries}


def _addresses() -> dict[str, str]:
    from django.urls import reverse

    from wagtail_email_insights.admin.addresses import email_url
    from wagtail_email_insights.emails.models import Email

    email = Email.objects.get(title="Bench")
    return {
        "Statistics panel": email_url("statistics_fragment", email),
        "Statistics page": email_url("statistics", email),
        "List of e-mails": reverse(Email.snippet_viewset.get_url_name("list")),
        "Contact activities": email_url("activities_fragment", email),
        "Who clicked, first page": email_url("people", email, "clicked"),
    }


def _mailing(events: int) -> Any:
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from tests.factories import make_email, make_mailing
    from wagtail_email_insights.contacts.models import Contact
    from wagtail_email_insights.mailings.models import Delivery
    from wagtail_email_insights.tracking.models import Event, TrackedLink

    get_user_model().objects.create_superuser("bench", "bench@example.org", "bench")
    for other in range(1, EMAILS):
        make_email(f"Other {other}")
    began = timezone.now() - timedelta(days=30)
    mailing = make_mailing(
        make_email("Bench"), state="sent", started_at=began, finished_at=began + timedelta(hours=2)
    )
    links = TrackedLink.objects.bulk_create(
        TrackedLink(mailing=mailing, position=number, url=f"https://example.com/{number}")
        for number in range(LINKS)
    )
    copies = events // EVENTS_A_COPY
    person = Contact.objects.create(email="reader0@example.org")
    _multiply(person, copies, email="'reader' || n || '@example.org'")
    copy = Delivery.objects.create(
        mailing=mailing, contact=person, state="sent", settled_at=began, identified=True
    )
    # The first of each has the lowest key, and the others follow without a gap.
    _multiply(copy, copies, contact_id=f"{person.pk} + n", identified="n % 2 = 0")
    event = Event.objects.create(kind="open", at=began, mailing=mailing)
    _multiply(event, events, **_columns(person.pk, copy.pk, links[0].pk, copies))
    event.delete()
    return mailing


def _columns(person: int, copy: int, link: int, copies: int) -> dict[str, str]:
    """Return how each column of event number n is made: most soon after sending, few later."""
    of_copy = f"(1 + (n * 7919) % {copies})"
    is_click = "n % 3 = 0"
    return {
        "kind": f"CASE WHEN {is_click} THEN 'click' ELSE 'open' END",
        "link_id": f"CASE WHEN {is_click} THEN {link} + (n / 3) % {LINKS} END",
        "at": "at + (power(random(), 3) * 25 * 86400 + 60) * interval '1 second'",
        "contact_id": f"CASE WHEN {of_copy} % 2 = 0 THEN {person} + {of_copy} END",
        "copy": f"CASE WHEN {of_copy} % 2 = 0 THEN {copy} + {of_copy} ELSE -{of_copy} END",
        "verdict": "(ARRAY['human', 'human', 'human', 'proxy', 'machine'])[1 + n % 5]",
        "verdict_reason": "(ARRAY['', '', '', 'image_proxy', 'declared_robot'])[1 + n % 5]",
        "device": "(ARRAY['phone', 'desktop', 'tablet', ''])[1 + n % 4]",
        "client": "(ARRAY['gmail', 'outlook', 'apple_mail', 'chrome', ''])[1 + n % 5]",
    }


def _multiply(instance: Any, number: int, **columns: str) -> None:
    """Insert *number* rows that differ from *instance* in *columns*, which are SQL of ``n``."""
    from django.db import connection

    quote = connection.ops.quote_name
    names = [field.column for field in instance._meta.concrete_fields if not field.primary_key]
    values = [columns.get(name, quote(name)) for name in names]
    table = quote(instance._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(map(quote, names))}) SELECT {', '.join(values)} "
            f"FROM {table}, generate_series(1::bigint, {number}) AS n WHERE id = {instance.pk}"
        )


if __name__ == "__main__":
    main()
