"""Settings of the app: one dictionary in the host's settings, read lazily and typed here.

A host overrides any of them in ``WAGTAIL_EMAIL_INSIGHTS = {...}``; unknown keys are reported
by a system check. Values are read on every access, so ``override_settings`` works.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from django.conf import settings

SETTING_NAME = "WAGTAIL_EMAIL_INSIGHTS"

AnonymousCounting = Literal["per_copy", "shared", "off"]


class AppSettings:
    """Every setting of the app, with its type, its default and the reason for the default."""

    @property
    def overrides(self) -> Mapping[str, Any]:
        return getattr(settings, SETTING_NAME, {})

    def _get(self, name: str, default: Any) -> Any:
        return self.overrides.get(name, default)

    @property
    def tracking_consent(self) -> str:
        """Code of the consent that lets a contact's opens and clicks be known."""
        return self._get("tracking_consent", "tracking")

    @property
    def anonymous_counting(self) -> AnonymousCounting:
        """How copies of contacts without tracking consent are counted.

        ``per_copy`` a random key per copy, so uniques stay right; ``shared`` the same address in
        every copy, totals only; ``off`` plain links and no pixel.
        """
        return self._get("anonymous_counting", "per_copy")

    @property
    def mailer(self) -> str:
        """Alias in Django's ``MAILERS`` (6.1 and later) that newsletters go through."""
        return self._get("mailer", "default")

    @property
    def body_blocks(self) -> str:
        """Dotted path of a callable returning the ``(name, block)`` pairs of an e-mail's body."""
        return self._get("body_blocks", "wagtail_email_insights.emails.blocks.default_blocks")

    @property
    def sanitizer(self) -> str:
        """Dotted path of a callable ``(html: str) -> str`` that makes an HTML fragment safe."""
        return self._get("sanitizer", "wagtail_email_insights.emails.sanitizing.bleach_fragment")

    @property
    def batch_size(self) -> int:
        """Copies one worker claims at a time."""
        return self._get("batch_size", 200)

    @property
    def chunk_size(self) -> int:
        """Copies in hand-over at a time: the most that one crash can leave uncertain."""
        return self._get("chunk_size", 20)

    @property
    def lease_seconds(self) -> int:
        """How long a claim holds without news from its worker; longer than an SMTP time-out."""
        return self._get("lease_seconds", 60)

    @property
    def work_seconds(self) -> int:
        """How long one queue task works before it hands over to its successor.

        Short, so that a lost task costs little and a deploy waits little.
        """
        return self._get("work_seconds", 20)

    @property
    def max_attempts(self) -> int:
        """Attempts for a copy that the mail server defers before it counts as failed."""
        return self._get("max_attempts", 5)

    @property
    def max_sender_errors(self) -> int:
        """Sender-side errors in a row (connection, log-in, refused sender) before pausing."""
        return self._get("max_sender_errors", 5)

    @property
    def frequency_cap(self) -> tuple[int, int] | None:
        """``(mails, days)``: nobody gets more newsletters than that in so many days."""
        return self._get("frequency_cap", None)

    @property
    def quiet_hours(self) -> tuple[str, str] | None:
        """``("21:00", "08:00")``: newsletters wait while a reader's clock shows such an hour."""
        return self._get("quiet_hours", None)

    @property
    def forms_per_hour(self) -> int:
        """Subscriptions one network address may ask for in an hour. 0 switches the limit off."""
        return self._get("forms_per_hour", 20)

    @property
    def confirmations_per_day(self) -> int:
        """Confirmation mails one e-mail address gets in a day, so that nobody is mail-bombed."""
        return self._get("confirmations_per_day", 3)

    @property
    def refresh_seconds(self) -> int:
        """How often an open statistics or progress view asks for fresh figures."""
        return self._get("refresh_seconds", 4)

    @property
    def recorder(self) -> str:
        """Where a click is put down while its reader waits: ``database``, ``redis`` or a path.

        ``database`` writes one row, on SQLite one line of a file instead, because there a click
        would have to wait for whoever writes; ``redis`` adds to a Redis Stream. A dotted path names
        a callable that returns a recorder of your own.
        """
        return self._get("recorder", "database")

    @property
    def redis_url(self) -> str:
        """Address of the Redis server that the recorder ``redis`` writes to."""
        return self._get("redis_url", "redis://127.0.0.1:6379/0")

    @property
    def at_once_per_second(self) -> int:
        """Clicks a second, per web process, up to which each becomes an event at once.

        Above that they wait, safely written down, for a worker, which takes hundreds at a time.
        """
        return self._get("at_once_per_second", 20)

    @property
    def link_cache_seconds(self) -> float:
        """How long a web process trusts a destination it has looked up: corrections show by then.

        While the database is away it trusts what it knows for as long as that takes.
        """
        return self._get("link_cache_seconds", 5.0)

    @property
    def trap_links(self) -> bool:
        """Put a link into every e-mail that no person sees; whoever follows it is a machine."""
        return self._get("trap_links", True)

    @property
    def trap_seconds(self) -> float:
        """How long before and after following the trap link a copy's opens and clicks are its."""
        return self._get("trap_seconds", 30.0)

    @property
    def burst_links(self) -> int:
        """Different links of one copy within ``burst_seconds`` that no person follows."""
        return self._get("burst_links", 3)

    @property
    def burst_seconds(self) -> float:
        """The span of a burst; what follows within it belongs to the burst too."""
        return self._get("burst_seconds", 1.0)

    @property
    def sweep_copies(self) -> int:
        """Copies clicked from one network within ``sweep_seconds`` that no office clicks.

        0 switches this rule off.
        """
        return self._get("sweep_copies", 10)

    @property
    def sweep_seconds(self) -> float:
        """The span of a sweep over many copies."""
        return self._get("sweep_seconds", 10.0)

    @property
    def client_address_header(self) -> str:
        """Request header that holds the visitor's address, set by your own proxy.

        Without it the connection's address is used, and none at all for a request that came
        through a proxy: else everybody behind it would look like one network.
        """
        return self._get("client_address_header", "")

    @property
    def retention_days(self) -> int | None:
        """Days after which the events of a mailing are deleted; its figures stay. None: never."""
        return self._get("retention_days", None)

    @property
    def diagnostics(self) -> Mapping[str, float]:
        """Thresholds of the diagnostics that differ from their defaults, by name."""
        return self._get("diagnostics", {})

    @property
    def ranking_floor(self) -> int:
        """Copies that a rate must be of for a mailing to be ranked, or to say what is usual."""
        return self._get("ranking_floor", 100)

    @property
    def spool_directory(self) -> str | None:
        """Folder for events that the database would not take, until ``replay_events``.

        ``None`` uses a folder beside the system's temporary files, which does not survive a
        reboot everywhere: set it in production.
        """
        return self._get("spool_directory", None)

    @property
    def soft_bounce_limit(self) -> int:
        """Copies in a row that came back for now, after which a contact gets nothing for a while.

        0 switches that off. What is the sender's fault or a whole provider's does not count.
        """
        return self._get("soft_bounce_limit", 5)

    @property
    def soft_bounce_days(self) -> int:
        """Days that a contact with too many soft bounces gets nothing."""
        return self._get("soft_bounce_days", 30)

    @property
    def mailboxes(self) -> list[dict[str, Any]]:
        """Mailboxes that bounces and replies come to, read by ``feedback.mailbox.poll``."""
        return self._get("mailboxes", [])

    @classmethod
    def names(cls) -> set[str]:
        return {
            name
            for name, value in vars(cls).items()
            if isinstance(value, property) and name != "overrides"
        }


app_settings = AppSettings()
