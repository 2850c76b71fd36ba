"""The example site runs with its own settings, so each of these tests starts it as a user would."""

from __future__ import annotations

import json
import os
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SITE = Path(__file__).resolve().parents[2] / "example_site"
CONTACTS = 60

COUNTS = """
import json
from wagtail_email_insights.models import *
from wagtail_email_insights.emails.validation import problems_with
from wagtail_email_insights.segments.queries import contacts_in
print(json.dumps({
    "contacts": Contact.objects.count(),
    "lists": RecipientList.objects.count(),
    "main": Subscription.objects.filter(
        recipient_list__slug="garden-letter", status="subscribed").count(),
    "sent": Mailing.objects.filter(state="sent").count(),
    "unsettled": Delivery.objects.exclude(state__in=["sent", "failed", "skipped"]).count(),
    "drafts": Email.objects.filter(mailings=None).count(),
    "problems": [p for email in Email.objects.all() for p in problems_with(email)],
    "opens": Event.objects.filter(kind="open").count(),
    "clicks": Event.objects.filter(kind="click").count(),
    "named": Event.objects.filter(kind="click", contact__isnull=False).count(),
    "segment": contacts_in(Segment.objects.get()).count(),
}))
"""

SHOW_MAIL = """
import json
from django.conf import settings
from django.test import Client
from wagtail_email_insights.consents import actions
from wagtail_email_insights.models import Consent, Contact
settings.ALLOWED_HOSTS = ["*"]
client = Client()
answers = {
    name: client.get(path)
    for name, path in {
        "list": "/inbox/?q=ann@", "nothing": "/inbox/?q=bob@", "mail": "/inbox/1/",
        "content": "/inbox/1/content/", "text": "/inbox/1/text/", "headers": "/inbox/1/headers/",
    }.items()
}
ann = Contact.objects.create(email="ann@example.org", first_name="Ann")
unknown = [client.get(path).content.decode() for path in ("/inbox/", "/inbox/1/")]
actions.agree(ann, Consent.objects.get().versions.first() or actions.publish_wording(
    Consent.objects.get(), language="en", short_text="You may."), source="test")
known = [client.get(path).content.decode() for path in ("/inbox/", "/inbox/1/")]
ann.delete()
empty = client.post("/inbox/empty/", follow=True)
print(json.dumps({
    **{name: answer.content.decode() for name, answer in answers.items()},
    "policy": answers["content"]["Content-Security-Policy"],
    "unknown": unknown,
    "known": known,
    "emptied": empty.content.decode(),
    "get_empty": client.get("/inbox/empty/").status_code,
}))
"""

MAIL = """\
From: Garden <garden@example.org>\r
To: ann@example.org\r
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r
Message-ID: <1@example.org>\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=cut\r
\r
--cut\r
Content-Type: text/plain; charset=utf-8\r
\r
In words only\r
--cut\r
Content-Type: text/html; charset=utf-8\r
\r
<html><head><title>x</title></head><body><script>steal()</script><b>In bold</b></body></html>\r
--cut--\r
"""


class ExampleSite:
    """The example site in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **os.environ,
            "DEMO_VAR_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "example_site.settings",
            "DATABASE_URL": "",
        }

    def manage(self, *arguments: str, **options: str) -> str:
        return self.run("manage.py", *arguments, check=True, **options).stdout

    def shell(self, code: str) -> dict:
        return json.loads(self.manage("shell", "--no-imports", "-v0", input=code))

    def run(
        self, script: str, *arguments: str, check: bool = False, **options: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SITE / script), *arguments],
            check=check,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            **options,
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> ExampleSite:
    site = ExampleSite(tmp_path_factory.mktemp("var"))
    site.manage("migrate", "-v0")
    site.manage("migrate", "--database", "inbox", "-v0")
    return site


@pytest.mark.slow
def test_the_demonstration_loads_once_and_again_on_demand(site):
    site.manage("load_demo", "--contacts", str(CONTACTS))
    first = site.shell(COUNTS)

    assert first["contacts"] == first["main"] == CONTACTS
    assert (first["lists"], first["sent"], first["drafts"]) == (3, 4, 1)
    assert first["unsettled"] == 0
    assert first["problems"] == []
    assert first["opens"] > first["clicks"] > first["named"] > 0
    assert 0 < first["segment"] <= first["named"]

    assert "already loaded" in site.manage("load_demo")
    assert site.shell(COUNTS) == first

    site.manage("load_demo", "--contacts", str(CONTACTS), "--reset")
    assert site.shell(COUNTS)["contacts"] == CONTACTS


@pytest.mark.slow
def test_the_inbox_shows_a_caught_mail_without_giving_it_any_rights(site):
    with smtp_server(site) as port:
        send(port, MAIL)
    shown = site.shell(SHOW_MAIL)

    assert "Grüße" in shown["list"]
    assert "Grüße" not in shown["nothing"]
    assert 'sandbox="allow-popups ' in shown["mail"]
    assert "allow-scripts" not in shown["mail"] + shown["policy"]
    assert "<script" not in shown["mail"]
    assert "default-src 'none'" in shown["policy"]
    assert "sandbox allow-popups" in shown["policy"]
    assert '<head><base target="_blank">' in shown["content"]
    assert "<b>In bold</b>" in shown["content"]
    assert "In words only" in shown["text"]
    assert "&lt;1@example.org&gt;" in shown["headers"]
    assert "known" not in shown["list"] + shown["mail"]
    assert all("may not be known" in page for page in shown["unknown"])
    assert "may be known" in shown["known"][0]
    assert "Ann may be known: clicks of this reader appear" in shown["known"][1]
    assert shown["get_empty"] == 405
    assert "No mail yet" in shown["emptied"]


def test_the_runner_refuses_a_taken_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = ExampleSite(tmp_path).run("demo.py", "--port", str(port))

    assert outcome.returncode == 1
    assert f"Port {port} cannot be used" in outcome.stderr
    assert "make demo PORT=" in outcome.stderr


@contextmanager
def smtp_server(site: ExampleSite) -> Iterator[int]:
    """The catching mail server; what it accepted is stored once this is left."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, str(SITE / "manage.py"), "demo_smtp", "--port", str(port)]
    process = subprocess.Popen(command, env=site.environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().startswith("Catching mail")
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=20)


def send(port: int, mail: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
        server.sendmail("garden@example.org", ["ann@example.org"], mail.encode())
