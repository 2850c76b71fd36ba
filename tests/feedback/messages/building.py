from __future__ import annotations

from dataclasses import dataclass

OUR_ADDRESS = "news@news.example"
READER = "ann@mail.example"

ORIGINAL = f"""\
Return-Path: <bounce@news.example>
Date: Fri, 20 Nov 2026 09:00:00 +0000
From: Example News <{OUR_ADDRESS}>
To: {READER}
Subject: June news
Message-ID: <original-1@news.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello Ann, user unknown, mailbox full: these words are ours.
"""


@dataclass(frozen=True)
class Case:
    name: str
    raw: bytes
    kind: str
    category: str = "other"
    code: str = ""
    recipient: str = READER


def mail(body: str, **headers: str) -> bytes:
    """A mail with these headers (``_`` stands for ``-``) and a plain body."""
    fields = {
        "To": "bounce@news.example",
        "Subject": "Undelivered Mail Returned to Sender",
        "From": "MAILER-DAEMON@mx.example (Mail Delivery System)",
        "Date": "Fri, 20 Nov 2026 09:00:05 +0000",
        "Message-ID": "<report-1@mx.example>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
    return (head + "\n" + body).replace("\n", "\r\n").encode()


def multipart(*parts: tuple[str, str], subtype: str = "mixed", **headers: str) -> bytes:
    """A mail of several parts, each a pair of content type and body."""
    pieces = [f"--=_b1\nContent-Type: {kind}\n\n{body}\n" for kind, body in parts]
    body = "This is a multi-part message.\n\n" + "".join(pieces) + "--=_b1--\n"
    return mail(body, Content_Type=f'multipart/{subtype}; boundary="=_b1"', **headers)


def recipient_fields(
    status: str, diagnostic: str = "", action: str = "failed", recipient: str = READER, **extra: str
) -> str:
    fields = {
        "Final-Recipient": f"rfc822; {recipient}",
        "Action": action,
        "Status": status,
        "Diagnostic-Code": f"smtp; {diagnostic}" if diagnostic else "",
    } | {name.replace("_", "-"): value for name, value in extra.items()}
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def dsn(*recipients: str, text: str = "Your mail could not be delivered.", **headers: str) -> bytes:
    """A notification as RFC 3464 has it: text, fields, our mail."""
    fields = "Reporting-MTA: dns; mx.example\nArrival-Date: Fri, 20 Nov 2026 09:00:01 +0000\n\n"
    return multipart(
        ("text/plain; charset=utf-8", text),
        ("message/delivery-status", fields + "\n".join(recipients)),
        ("message/rfc822", ORIGINAL),
        subtype="report; report-type=delivery-status",
        **headers,
    )


def failed(status: str, diagnostic: str = "", **extra: str) -> bytes:
    return dsn(recipient_fields(status, diagnostic, **extra))
