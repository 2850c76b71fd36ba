"""The way out: everything the app sends goes through Django's mail API here.

``connect`` opens it for copies of a mailing, each of which is handed over with an outcome in one
word; ``send_transactional`` sends a single mail.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import django
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SMTPBackend

from ..conf import app_settings
from .connections import Connection
from .messages import ReadyMessage, envelope_address
from .outcomes import HandOver, InvalidAddress, MailError, Outcome
from .smtp import SMTPConnection

# Django waits for ever by default; a silent server must not outlive the lease of a copy.
SMTP_TIMEOUT = 30


@contextlib.contextmanager
def connect(alias: str | None = None) -> Iterator[Connection]:
    """Yield a Connection to the mail server behind *alias*; closes it afterwards.

    Opening is left to the first hand-over, so a server that is away is an outcome, not an error.
    """
    backend = backend_for(alias or app_settings.mailer)
    connection = SMTPConnection(backend) if _sends_plainly(backend) else Connection(backend)
    try:
        yield connection
    finally:
        connection.close()


def backend_for(alias: str) -> BaseEmailBackend:
    """Return the host's mail backend: ``MAILERS[alias]`` from Django 6.1 on, else the only one.

    One that speaks SMTP waits for the server no longer than SMTP_TIMEOUT, unless the host says so.
    """
    backend: BaseEmailBackend = (
        django_mail.mailers[alias] if django.VERSION >= (6, 1) else django_mail.get_connection()
    )
    if isinstance(backend, SMTPBackend) and backend.timeout is None:
        backend.timeout = SMTP_TIMEOUT
    return backend


def send_transactional(
    *,
    subject: str,
    text: str,
    to: str,
    from_email: str,
    html: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send one mail to one person now; raises MailError when the server does not take it."""
    message = EmailMultiAlternatives(
        subject=subject, body=text, from_email=from_email, to=[to], headers=dict(headers or {})
    )
    if html:
        message.attach_alternative(html, "text/html")
    try:
        backend_for(app_settings.mailer).send_messages([message])
    except Exception as error:
        # Backends raise what they like, and not all of it is an OSError: anymail's errors are not.
        raise MailError(str(error)) from error


def _sends_plainly(backend: BaseEmailBackend) -> bool:
    """Tell whether *backend* sends as Django's own does: a host's own way, say signing, stays."""
    kind = type(backend)
    return (
        isinstance(backend, SMTPBackend)
        and kind.send_messages is SMTPBackend.send_messages
        and kind._send is SMTPBackend._send  # type: ignore[attr-defined]
    )


__all__ = [
    "Connection",
    "HandOver",
    "InvalidAddress",
    "MailError",
    "Outcome",
    "ReadyMessage",
    "backend_for",
    "connect",
    "envelope_address",
    "send_transactional",
]
