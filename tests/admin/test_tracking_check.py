from __future__ import annotations

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import Schedule, Task
from wagtail.models import Site

from tests.factories import make_contact, make_list, make_mailing, tracking_wording
from wagtail_email_insights import tokens
from wagtail_email_insights.admin import tracking_checks
from wagtail_email_insights.consents.models import Consent
from wagtail_email_insights.feedback import tasks as feedback_tasks
from wagtail_email_insights.feedback import visits
from wagtail_email_insights.feedback.mailbox import MailboxError
from wagtail_email_insights.feedback.models import SeenReport
from wagtail_email_insights.mailings.models import MailingContent, MailingState
from wagtail_email_insights.sending.preparing import PIXEL_TAG
from wagtail_email_insights.site_settings.models import EmailSettings
from wagtail_email_insights.statistics import (
    checks_of_consent,
    checks_of_recording,
    checks_of_sending,
    fetching,
    tracking_check,
)
from wagtail_email_insights.statistics.tracking_check import Check, State
from wagtail_email_insights.tracking import recorders, spool
from wagtail_email_insights.tracking.models import (
    Event,
    EventKind,
    Hit,
    MailingTotals,
    Probe,
    TrackedLink,
)
from wagtail_email_insights.tracking.recorders import RecorderAway

pytestmark = pytest.mark.django_db
URL = "/admin/email-insights/tracking-check/"
PIXEL = b"GIF89a"


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


class Server:
    """Answers on a port of its own; *answers* maps a path's beginning to status, type, target."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str, str]] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                found = [a for path, a in outer.answers.items() if self.path.startswith(path)]
                status, kind, target = found[0] if found else (404, "text/html", "")
                self.send_response(status)
                self.send_header("Content-Type", kind)
                if target:
                    self.send_header("Location", target)
                self.end_headers()

            def log_message(self, *args) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def server(site):
    server = Server()
    EmailSettings.objects.create(site=site, base_url=server.url)
    yield server
    server.close()


def sent(**fields):
    mailing = make_mailing(state=MailingState.SENT, started_at=timezone.now(), **fields)
    MailingContent.objects.create(mailing=mailing, html=f"<body>{PIXEL_TAG}</body>")
    return mailing


class TestRecorder:
    def test_a_trial_hit_goes_all_the_way_and_leaves_nothing(self, site):
        result = checks_of_recording.check_recorder(site)
        assert result.state == State.OK
        assert checks_of_recording.check_pending(site).state == State.OK
        for model in (Hit, Event, Probe):
            assert not model.objects.exists()
        assert not spool.is_pending()
        assert not (spool.directory() / spool.BAD_FILE_NAME).exists()

    def test_one_that_takes_nothing_is_broken(self, site, monkeypatch):
        def refuse(lines):
            raise RecorderAway

        monkeypatch.setattr(recorders.recorder(), "write", refuse)
        result = checks_of_recording.check_recorder(site)
        assert (result.state, bool(result.remedy)) == (State.BROKEN, True)

    def test_hits_that_wait_for_long_are_named(self, site, monkeypatch):
        old = checks_of_recording.probe()._replace(at=timezone.now() - timedelta(minutes=9))
        recorders.recorder().write([old.line()])
        monkeypatch.setattr(checks_of_recording.recording, "catch_up", lambda: None)
        result = checks_of_recording.check_pending(site)
        assert result.state == State.ATTENTION
        assert "9\xa0minutes" in result.meaning

    def test_hits_of_this_second_are_nothing_to_worry_about(self, site, monkeypatch):
        recorders.recorder().write([checks_of_recording.probe().line()])
        monkeypatch.setattr(checks_of_recording.recording, "catch_up", lambda: None)
        assert checks_of_recording.check_pending(site).state == State.OK


class TestSpool:
    def test_a_folder_of_our_own_is_fine(self, site, settings, tmp_path):
        settings.WAGTAIL_EMAIL_INSIGHTS = {"spool_directory": str(tmp_path / "ours")}
        assert checks_of_recording.check_spool(site).state == State.OK
        assert list((tmp_path / "ours").iterdir()) == []

    def test_one_for_temporary_files_deserves_a_look(self, site):
        assert checks_of_recording.check_spool(site).state == State.ATTENTION

    def test_one_that_everybody_may_write_to_is_refused(self, site, settings, tmp_path):
        tmp_path.chmod(0o777)
        settings.WAGTAIL_EMAIL_INSIGHTS = {"spool_directory": str(tmp_path)}
        result = checks_of_recording.check_spool(site)
        assert result.state == State.BROKEN
        assert str(tmp_path) not in result.meaning

    def test_hits_that_were_put_aside_are_named(self, site, settings, tmp_path):
        settings.WAGTAIL_EMAIL_INSIGHTS = {"spool_directory": str(tmp_path)}
        spool.put_aside("no hit")
        assert "bad.jsonl" in checks_of_recording.check_spool(site).meaning


class TestLastEvent:
    def test_before_the_first_mailing_there_is_none(self, site):
        assert checks_of_recording.check_last_event(site).state == State.OFF

    def test_a_day_without_any_deserves_a_look(self, site):
        mailing = sent()
        assert checks_of_recording.check_last_event(site).state == State.OK
        mailing.started_at = timezone.now() - timedelta(days=2)
        mailing.save()
        assert checks_of_recording.check_last_event(site).state == State.ATTENTION
        Event.objects.create(
            kind=EventKind.CLICK, mailing=mailing, at=timezone.now() - timedelta(hours=3)
        )
        result = checks_of_recording.check_last_event(site)
        assert (result.state, "3\xa0hours" in result.meaning) == (State.OK, True)


@pytest.mark.parametrize(
    ("counting", "state"), [("per_copy", State.OK), ("shared", State.OK), ("off", State.OFF)]
)
def test_how_anonymous_copies_are_counted_is_told(site, settings, counting, state):
    settings.WAGTAIL_EMAIL_INSIGHTS = {"anonymous_counting": counting}
    assert checks_of_recording.check_counting(site).state == state


class TestBaseUrl:
    def test_the_pixel_that_comes_back_is_ours(self, site, server):
        server.answers["/email/o/"] = (200, "image/gif", "")
        assert checks_of_sending.check_base_url(site).state == State.OK
        [path] = server.asked
        token = tokens.read(path.rpartition("/")[2], tokens.Kind.OPEN_ANONYMOUS)
        assert token.values == (0, 0, 0)

    def test_our_own_view_answers_the_trial_and_counts_nothing(self, site, client):
        token = tokens.make(tokens.Kind.OPEN_ANONYMOUS, 0, 0, 0)
        response = client.get(f"/email/o/{token}", headers={"user-agent": fetching.AGENT})
        assert (response.status_code, response["Content-Type"]) == (200, "image/gif")
        checks_of_recording.check_pending(site)
        assert not Event.objects.exists()
        assert not Hit.objects.exists()

    def test_a_pixel_that_refuses_our_token_has_another_key(self, site, server):
        server.answers["/email/o/"] = (404, "image/gif", "")
        result = checks_of_sending.check_base_url(site)
        assert (result.state, "SECRET_KEY" in result.meaning) == (State.BROKEN, True)

    def test_something_else_at_that_address_is_broken(self, site, server):
        result = checks_of_sending.check_base_url(site)
        assert (result.state, result.place) == (State.BROKEN, "email_settings")
        assert "404" in result.meaning

    def test_a_redirect_on_the_same_host_is_followed(self, site, server):
        server.answers["/email/o/"] = (301, "text/html", f"{server.url}/new/")
        server.answers["/new/"] = (200, "image/gif", "")
        assert checks_of_sending.check_base_url(site).state == State.OK

    def test_a_redirect_to_another_host_is_not(self, site, server):
        other = server.url.replace("127.0.0.1", "localhost")
        server.answers["/email/o/"] = (302, "text/html", f"{other}/secret/")
        server.answers["/secret/"] = (200, "image/gif", "")
        assert checks_of_sending.check_base_url(site).state == State.BROKEN
        assert len(server.asked) == 1

    def test_nobody_there_is_told_within_seconds(self, site, server, monkeypatch):
        EmailSettings.objects.update(base_url="http://127.0.0.1:1")
        result = checks_of_sending.check_base_url(site)
        assert result.state == State.ATTENTION
        assert "127.0.0.1:1" in result.meaning

    def test_a_silent_server_costs_no_more_than_the_time_out(self, site, server, monkeypatch):
        monkeypatch.setattr(fetching, "TIMEOUT", 0.2)
        silent = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        EmailSettings.objects.update(base_url=f"http://127.0.0.1:{silent.server_port}")
        try:
            assert checks_of_sending.check_base_url(site).state == State.ATTENTION
        finally:
            silent.server_close()

    @pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org"])
    def test_only_the_web_is_asked(self, site, server, address):
        EmailSettings.objects.update(base_url=address)
        assert checks_of_sending.check_base_url(site).state == State.BROKEN


def not_yet(site) -> bool:
    result = checks_of_sending.check_worker(site)
    assert (result.state, "qcluster" in result.remedy) == (State.ATTENTION, True)
    return result.meaning == "No worker has been seen at work yet."


class TestWorker:
    def test_on_a_new_site_nobody_has_been_seen_yet(self, site):
        """What migrate has just written down as due proves nothing."""

        def due(**ago):
            Schedule.objects.update_or_create(
                func=checks_of_sending.REAP_TASK,
                defaults={"next_run": timezone.now() - timedelta(**ago)},
            )

        Schedule.objects.all().delete()
        assert not_yet(site)
        due(minutes=0)
        assert not_yet(site)

    def test_a_call_that_nobody_answers(self, site, monkeypatch):
        def heard(**ago):
            Schedule.objects.filter(func=checks_of_sending.REAP_TASK).update(
                task="0" * 32, next_run=timezone.now() - timedelta(**ago)
            )
            return checks_of_sending.check_worker(site)

        result = heard(minutes=-1)
        assert (result.state, "calls for work" in result.meaning) == (State.ATTENTION, True)
        result = heard(minutes=9)
        assert result.meaning == "No worker has been seen at work for 10\xa0minutes."
        assert "qcluster" in result.remedy
        monkeypatch.setattr(Conf, "SAVE_LIMIT", -1)
        result = heard(minutes=-1)
        assert (result.state, "is not kept" in result.meaning) == (State.OK, True)

    def test_a_task_that_was_really_finished(self, site):
        def finished(func=checks_of_sending.REAP_TASK, **ago):
            at = timezone.now() - timedelta(**ago)
            Task.objects.create(id=str(Task.objects.count()), func=func, started=at, stopped=at)
            return checks_of_sending.check_worker(site)

        finished("shop.tasks.count", minutes=1)
        assert not_yet(site)
        result = finished(minutes=9)
        assert (result.state, "9\xa0minutes" in result.meaning) == (State.ATTENTION, True)
        result = finished(seconds=5)
        assert (result.state, result.meaning) == (
            State.OK,
            "A worker last finished a task less than a minute ago.",
        )

    def test_a_site_without_a_queue_cannot_know(self, site, monkeypatch):
        monkeypatch.setattr(checks_of_sending.apps, "is_installed", lambda name: False)
        result = checks_of_sending.check_worker(site)
        assert (result.state, "run_due" in result.remedy) == (State.ATTENTION, True)

    def test_a_mailing_that_nobody_works_on(self, site):
        long_ago = timezone.now() - timedelta(hours=2)
        make_mailing(state=MailingState.PREPARING, started_at=long_ago)
        result = checks_of_sending.check_worker(site)
        assert result.state == State.BROKEN
        assert "June news" in result.meaning


class TestLinks:
    def test_the_last_mailing_had_links_and_the_pixel(self, site):
        assert checks_of_sending.check_links(site).state == State.OFF
        mailing = sent()
        assert checks_of_sending.check_links(site).state == State.ATTENTION
        TrackedLink.objects.create(mailing=mailing, position=0, url="https://example.com/")
        result = checks_of_sending.check_links(site)
        assert result.state == State.OK
        assert result.meaning.endswith("“June news”, has 1 tracked link and the pixel.")
        mailing.contents.update(html="<body></body>")
        result = checks_of_sending.check_links(site)
        assert result.state == State.ATTENTION
        assert result.meaning.endswith("“June news”, has 1 tracked link and no pixel.")


class TestConsent:
    def test_without_the_consent_or_its_wording_nobody_is_known(self, site):
        Consent.objects.update(code="former")
        assert checks_of_consent.check_consent(site).state == State.BROKEN
        consent = Consent.objects.create(code="tracking", name="Tracking")
        assert "no wording" in checks_of_consent.check_consent(site).meaning
        tracking_wording()
        assert checks_of_consent.check_consent(site).state == State.OK
        assert str(consent) in checks_of_consent.check_consent(site).meaning

    def test_somebody_agreed(self, site):
        assert checks_of_consent.check_agreements(site).state == State.ATTENTION
        make_contact(agrees=True)
        assert checks_of_consent.check_agreements(site).state == State.OK

    def test_the_share_of_those_who_may_be_known(self, site):
        assert checks_of_consent.check_share(site).state == State.OFF
        make_contact()
        make_contact()
        assert checks_of_consent.check_share(site).state == State.ATTENTION
        make_contact(agrees=True)
        make_contact(agrees=True, do_not_track=True)
        result = checks_of_consent.check_share(site)
        assert result.meaning == "25.0 % of 4 contacts may be known."

    def test_of_many_only_the_newest_are_asked(self, site, monkeypatch):
        monkeypatch.setattr(checks_of_consent, "SAMPLE", 2)
        for agrees in (True, True, False, True):
            make_contact(agrees=agrees)
        told = checks_of_consent.check_share(site).meaning
        assert told == "50.0 % of the newest 2 contacts may be known."


class TestWhatTheAdminKnows:
    def test_forms_ask_for_it(self, site):
        tracking_wording()
        assert tracking_checks.check_forms(site).state == State.OFF
        make_list()
        assert tracking_checks.check_forms(site).state == State.OK
        Consent.objects.update(code="other")
        assert tracking_checks.check_forms(site).state == State.BROKEN

    def test_feedback_has_a_source(self, site):
        result = tracking_checks.check_feedback(site)
        assert result.state == State.OFF
        SeenReport.objects.create(key="x" * 64)
        result = tracking_checks.check_feedback(site)
        assert (result.state, "less than a minute ago" in result.meaning) == (State.OK, True)

    @pytest.mark.parametrize(
        ("sent", "days_ago", "state"),
        [
            (2500, 2, State.ATTENTION),
            (500, 2, State.OK),
            (2500, 0, State.OK),
            (2500, 20, State.OK),
        ],
    )
    def test_a_source_that_fell_silent_is_doubted(self, site, sent, days_ago, state):
        SeenReport.objects.create(key="x" * 64)
        SeenReport.objects.update(seen_at=timezone.now() - timedelta(days=10))
        then = timezone.now() - timedelta(days=days_ago)
        mailing = make_mailing(state="sent", started_at=then, finished_at=then)
        MailingTotals.objects.create(mailing=mailing, sent=sent, is_fresh=True)
        result = tracking_checks.check_feedback(site)
        assert result.state == state
        assert "came in 1\xa0week, 3\xa0days ago" in result.meaning
        assert ("2,500 copies were sent and nothing came back" in result.meaning) == (
            state == State.ATTENTION
        )


class TestMailbox:
    BOX: ClassVar = {"host": "mail.example.org", "username": "bounce", "password": "secret"}

    @pytest.fixture(autouse=True)
    def _boxes(self, settings):
        settings.WAGTAIL_EMAIL_INSIGHTS = {"mailboxes": [self.BOX]}

    def told(self, site, state) -> str:
        result = tracking_checks.check_feedback(site)
        assert result.state == state
        return result.meaning

    def test_of_one_that_nobody_is_known_to_have_read_nothing_is_claimed(self, site):
        assert "whether it can be read is not known" in self.told(site, State.ATTENTION)
        SeenReport.objects.create(key="x" * 64)
        assert "less than a minute ago" in self.told(site, State.OK)

    def test_one_that_was_read_and_empty_is_in_order(self, site, monkeypatch):
        monkeypatch.setattr(feedback_tasks, "poll", lambda mailbox: 0)
        feedback_tasks.poll_mailboxes()
        assert "last read less than a minute ago" in self.told(site, State.OK)

    def test_one_that_cannot_be_read_is_named_whatever_came_before(self, site, monkeypatch):
        def refuse(mailbox):
            raise MailboxError("no such host")

        SeenReport.objects.create(key="x" * 64)
        monkeypatch.setattr(feedback_tasks, "poll", refuse)
        feedback_tasks.poll_mailboxes()
        told = self.told(site, State.ATTENTION)
        assert told.startswith("The mailbox at mail.example.org could not be read")
        monkeypatch.setattr(feedback_tasks, "poll", lambda mailbox: 0)
        feedback_tasks.poll_mailboxes()
        self.told(site, State.OK)

    def test_what_was_seen_before_a_correction_says_nothing(self, site, settings):
        visits.note(self.BOX, success=False)
        settings.WAGTAIL_EMAIL_INSIGHTS = {"mailboxes": [{**self.BOX, "password": "right"}]}
        assert "not known" in self.told(site, State.ATTENTION)

    def test_one_that_nobody_reads_any_more_is_named(self, site, monkeypatch):
        now = timezone.now()
        monkeypatch.setattr(visits.timezone, "now", lambda: now - timedelta(hours=3))
        visits.note(self.BOX, success=True)
        monkeypatch.undo()
        assert "for 3\xa0hours" in self.told(site, State.ATTENTION)

    def test_a_cache_that_is_away_keeps_no_mailbox_from_being_read(self, site, monkeypatch):
        class Away:
            def get(self, *args):
                raise ConnectionError

            set = get

        monkeypatch.setattr(visits, "cache", Away())
        monkeypatch.setattr(feedback_tasks, "poll", lambda mailbox: 2)
        assert feedback_tasks.poll_mailboxes() == 2
        assert "not known" in self.told(site, State.ATTENTION)


def test_the_system_checks_of_this_app_are_repeated(site, settings):
    assert checks_of_sending.check_system(site).state == State.OK
    settings.WAGTAIL_EMAIL_INSIGHTS = {"no_such": 1}
    result = checks_of_sending.check_system(site)
    assert (result.state, "no_such" in result.meaning) == (State.BROKEN, True)


def test_a_check_that_fails_says_so_and_the_others_are_run(site):
    def fail(site):
        raise RuntimeError

    checks = [Check("bad", "Bad", fail), Check("good", "Good", checks_of_recording.check_counting)]
    bad, good = tracking_check.run(checks, site)
    assert (bad.result.state, good.result.state) == (State.BROKEN, State.OK)
    assert tracking_check.worst_of([bad, good]) == State.BROKEN


class TestScreen:
    def test_it_shows_every_check(self, admin, server):
        server.answers["/email/o/"] = (200, "image/gif", "")
        html = admin.get(URL).content.decode()
        for code in ("worker", "base_url", "links", "system", "recorder", "pending", "spool"):
            assert f'data-check="{code}"' in html
        for code in ("counting", "last_event", "feedback", "forms", "consent", "share"):
            assert f'data-check="{code}"' in html
        assert "a trial pixel came back" in html

    def test_what_is_wrong_leads_to_where_it_can_be_put_right(self, admin, server, site):
        html = admin.get(URL).content.decode()
        settings_url = f"/admin/settings/wagtail_email_insights/emailsettings/{site.pk}/"
        assert f'href="{settings_url}"' in html
        assert admin.get(settings_url).status_code == 200

    def test_it_needs_the_right_to_see_statistics(self, editor, server):
        assert editor("view_email").get(URL).status_code == 302
        assert editor("view_statistics").get(URL).status_code == 200

    def test_only_those_see_it_in_the_menu(self, editor, server):
        assert URL not in editor("view_email").get("/admin/").content.decode()
        assert URL in editor("view_statistics").get("/admin/").content.decode()

    def test_the_settings_form_has_the_fields_for_colleagues(self, admin, site):
        url = f"/admin/settings/wagtail_email_insights/emailsettings/{site.pk}/"
        html = admin.get(url).content.decode()
        for name in ("summary_rhythm", "summary_to", "mail_alerts", "postal_address"):
            assert f'name="{name}"' in html
