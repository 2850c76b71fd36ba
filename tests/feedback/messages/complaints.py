"""Spam reports: RFC 5965 and the forms of single providers."""

from __future__ import annotations

from .building import ORIGINAL, READER, Case, mail, multipart

NOTE = ("text/plain", "This is an email abuse report for a message you sent.")


def arf(fields: str, original: str = ORIGINAL, kind: str = "message/rfc822") -> bytes:
    return multipart(
        NOTE,
        ("message/feedback-report", fields),
        (kind, original),
        subtype="report; report-type=feedback-report",
        From="feedback@fbl.example",
        Subject="FW: June news",
    )


HEAD = "Feedback-Type: {}\nUser-Agent: SomeGenerator/1.0\nVersion: 1\n"
RFC = HEAD + "Original-Mail-From: <bounce@news.example>\nOriginal-Rcpt-To: <{}>\n"
REDACTED_MAIL = ORIGINAL.replace(READER, "redacted@mail.example")
OUTLOOK_MAIL = f"X-HmXmrOriginalRecipient: {READER}\n" + ORIGINAL.replace(READER, "x@y.example")

OUTLOOK = multipart(
    ("message/rfc822\nContent-Disposition: attachment", OUTLOOK_MAIL),
    From="staff@hotmail.example",
    Subject="complaint about message from 192.0.2.1",
)
OUTLOOK_WITHOUT_HEADER = multipart(
    ("text/plain", ""),
    ("message/rfc822", ORIGINAL),
    From="staff@hotmail.example",
    Subject="complaint about message from 192.0.2.1",
)
MISLABELLED = arf(RFC.format("abuse", READER)).replace(
    b"multipart/report; report-type=feedback-report", b"multipart/mixed"
)
WITH_AUTO_SUBMITTED = b"Auto-Submitted: auto-generated\r\n" + arf(RFC.format("abuse", READER))
BOUNCY = arf(RFC.format("abuse", READER)).replace(
    b"From: feedback@fbl.example", b"From: MAILER-DAEMON@fbl.example"
)

CASES = [
    Case("arf_minimal", arf(HEAD.format("abuse")), "complaint", "abuse"),
    Case("arf_full", arf(RFC.format("abuse", READER)), "complaint", "abuse"),
    Case("arf_fraud", arf(RFC.format("fraud", READER)), "complaint", "abuse"),
    Case("arf_virus", arf(RFC.format("virus", READER)), "complaint", "abuse"),
    Case("arf_other", arf(RFC.format("other", READER)), "complaint", "abuse"),
    Case("arf_opt_out", arf(RFC.format("opt-out", READER)), "complaint", "abuse"),
    Case(
        "arf_headers_only",
        arf(RFC.format("abuse", READER), kind="text/rfc822-headers"),
        "complaint",
        "abuse",
    ),
    Case("arf_redacted", arf(HEAD.format("abuse"), REDACTED_MAIL), "complaint", "abuse", "", ""),
    Case(
        "arf_redacted_field", arf(RFC.format("abuse", "[redacted]")), "complaint", "abuse", "", ""
    ),
    Case(
        "arf_removal",
        arf(HEAD.format("abuse") + f"Removal-Recipient: {READER}\n"),
        "complaint",
        "abuse",
    ),
    Case("arf_mislabelled", MISLABELLED, "complaint", "abuse"),
    Case("arf_auto_submitted", WITH_AUTO_SUBMITTED, "complaint", "abuse"),
    Case("arf_from_daemon", BOUNCY, "complaint", "abuse"),
    Case("arf_not_spam", arf(RFC.format("not-spam", READER)), "none", recipient=""),
    Case("arf_auth_failure", arf(RFC.format("auth-failure", READER)), "none", recipient=""),
    Case("outlook_jmrp", OUTLOOK, "complaint", "abuse"),
    Case("outlook_jmrp_bare", OUTLOOK_WITHOUT_HEADER, "complaint", "abuse"),
]

PLAIN = mail("I report this as spam!", From=READER, Subject="Spam")
